// A model server in the small: it says which weights it sees, once at the start and then over HTTP.
//
// The digest is Go's own dirhash in hexadecimal, computed here from the mounted bytes and from nothing else.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/mod/sumdb/dirhash"
)

func main() {
	place := "/model"
	if len(os.Args) > 1 {
		place = os.Args[1]
	}
	sum, err := dirhash.HashDir(place, "", dirhash.Hash1)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	line := fmt.Sprintf("serving dirHash:%s\n", hex.EncodeToString(raw))
	fmt.Print(line)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, line) })
	go http.ListenAndServe(":8080", nil)
	<-ended
}
