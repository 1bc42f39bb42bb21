package main

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/once-only/oots/validator"
)

// scriptSpecimen writes the first sound specimen of a kind and line to a file:
//
//	specimen KIND LINE FILE
func scriptSpecimen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: specimen KIND LINE FILE")
	}
	kind, _ := validator.ParseKind(args[0])
	for _, s := range validator.Specimens() {
		if s.Kind == kind && s.Line == validator.ParseLine(args[1]) {
			ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(s.XML), 0o600))
			return
		}
	}
	ts.Fatalf("no specimen of %s on line %s", args[0], args[1])
}
