// Evaluate one CEL expression for many pods, with the library and the options that the API server uses.
//
// Standard input is JSON: {"expression": "...", "pods": {"name": {...}}}. Standard output is JSON: for each name the
// result and what it cost.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
)

type question struct {
	Expression string         `json:"expression"`
	Pods       map[string]any `json:"pods"`
}

type answer struct {
	Result any    `json:"result"`
	Cost   uint64 `json:"cost"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	// As in k8s.io/apiserver/pkg/cel/environment: optional fields, and strings of version 2.
	env, err := cel.NewEnv(
		cel.Variable("object", cel.DynType),
		cel.OptionalTypes(),
		ext.Strings(ext.StringsVersion(2)),
	)
	if err != nil {
		return err
	}
	compiled, issues := env.Compile(asked.Expression)
	if issues != nil && issues.Err() != nil {
		return issues.Err()
	}
	if compiled.OutputType() != cel.BoolType {
		return fmt.Errorf("the expression is a %s", compiled.OutputType())
	}
	program, err := env.Program(compiled, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost))
	if err != nil {
		return err
	}
	answers := map[string]answer{}
	for name, pod := range asked.Pods {
		result, details, err := program.Eval(map[string]any{"object": pod})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		answers[name] = answer{Result: result.Value(), Cost: *details.ActualCost()}
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}
