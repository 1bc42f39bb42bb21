package main

import (
	"context"
	"database/sql"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/once-only/oots/ledger/ledgertest"
	"github.com/once-only/oots/store"
)

// TestMain lets a script in testdata call oots as a program of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"oots": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
			stop()
			os.Exit(code)
		},
	})
}

// TestScripts runs testdata/*.txt. Beside the usual commands a script has
//
//	code N oots ARGS…        the program ends with exit code N
//	generate N FILE          writes N invented facts
//	specimen KIND LINE FILE  writes a sound message
//	tamper DIR STATEMENT     changes a store by hand (SQL)
//	id DIR                   sets $DRAFT to the id of the snapshot that waits in a store
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     scriptCode,
			"generate": scriptGenerate,
			"tamper":   scriptTamper,
			"specimen": scriptSpecimen,
			"id":       scriptID,
		},
	})
}

func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		coded, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%s did not run: %v", args[1], err)
		}
		got = coded.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func scriptGenerate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: generate N FILE")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Check(ledgertest.WriteFacts(f, n, 1))
	ts.Check(f.Close())
}

func scriptTamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tamper DIR STATEMENT")
	}
	db, err := sql.Open("sqlite", filepath.Join(ts.MkAbs(args[0]), store.File))
	ts.Check(err)
	defer db.Close()
	done, err := db.Exec(args[1])
	ts.Check(err)
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("the statement changed nothing: %v", err)
	}
}

func scriptID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: id DIR")
	}
	db, err := store.Open(context.Background(), ts.MkAbs(args[0]), store.Options{MustExist: true})
	ts.Check(err)
	defer db.Close()
	open, err := db.Snapshots().Open(context.Background())
	ts.Check(err)
	if len(open) != 1 {
		ts.Fatalf("%d snapshots wait", len(open))
	}
	ts.Setenv("DRAFT", open[0].ID)
}
