// Command oots is the Once-Only Technical System in one binary: evidence
// exchange nodes, the Common Services, a validator, a test platform and the
// public Acceleratormeter.
//
// Exit codes: 0 yes or done; 1 no (does not conform, does not verify, refused);
// 2 could not tell, or wrong usage. Machine output goes to stdout, words for
// people to stderr.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line contract: one line a command, one file a command.
type cli struct {
	Demo     demo        `cmd:"" help:"The whole network in one process."`
	Serve    serve       `cmd:"" help:"One part of it in one process."`
	Facts    facts       `cmd:"" help:"The ledger of facts: import, export, verify, prove."`
	Keys     keys        `cmd:"" help:"Certificates for a test network."`
	Level    level       `cmd:"" help:"Where countries stand, what carries it and what is missing."`
	Log      exchangeLog `cmd:"" help:"The exchange log of a node: prove, attest, month, match."`
	Ping     ping        `cmd:"" help:"Send a test message to a partner and explain the answer."`
	Snapshot snapshot    `cmd:"" help:"Draft, show, approve, publish and correct snapshots of the board."`
	Inspect  inspect     `cmd:"" help:"What is in a message, in plain words."`
	Test     test        `cmd:"" help:"Play test cases against a system; list them; write one."`
	Token    token       `cmd:"" help:"API tokens: who may write."`
	Validate validate    `cmd:"" help:"Judge messages and whole conversations."`
	Version  version     `cmd:"" help:"What this binary is."`
}

// world is what a command may touch, so that tests can run the same commands.
type world struct {
	context.Context
	in       io.Reader
	out, err io.Writer
}

// exit is an error that carries the exit code of the contract. An error without
// it ends with code 2: the command could not tell.
type exit struct {
	code int
	msg  string
}

func (e exit) Error() string { return e.msg }

// no says that the answer is no: exit code 1.
func no(format string, args ...any) error { return exit{1, fmt.Sprintf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program as a function; it returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	var c cli
	var helped bool
	parser, err := kong.New(&c,
		kong.Name("oots"),
		kong.Description("The Once-Only Technical System in one binary."),
		kong.UsageOnError(),
		kong.Configuration(flagsOf),
		kong.Writers(out, errw),
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		fmt.Fprintln(errw, "oots:", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if helped {
		return 0
	}
	if err != nil {
		err = usage(err)
	} else {
		err = k.Run(&world{ctx, in, out, errw})
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(errw, "oots:", err)
	var e exit
	if errors.As(err, &e) {
		return e.code
	}
	return 2
}

// usage adds to a command line that cannot be read where help is.
func usage(err error) error {
	var wrong *kong.ParseError
	if !errors.As(err, &wrong) {
		return err
	}
	command := "oots"
	for _, p := range wrong.Context.Path {
		if p.Command != nil {
			command += " " + p.Command.Name
		}
	}
	return fmt.Errorf("%w; `%s --help` says what there is", err, command)
}
