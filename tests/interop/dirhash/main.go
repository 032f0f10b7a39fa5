// Print the dirhash.Hash1 of every directory that is named, as "<hex>  <directory>", with Go's own code.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"
)

func main() {
	for _, directory := range os.Args[1:] {
		sum, err := dirhash.HashDir(directory, "", dirhash.Hash1)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%s  %s\n", hex.EncodeToString(raw), directory)
	}
}
