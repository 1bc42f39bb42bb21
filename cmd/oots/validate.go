package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/validator/official"
)

// validate judges messages one by one and, where they belong together, as
// conversations.
type validate struct {
	Kind      string   `default:"auto" help:"What the messages are, such as EDM-REQ or DSD-RESP; auto detects it."`
	Line      string   `help:"Judge by this line, such as 2.0, whatever the message announces."`
	Request   string   `placeholder:"FILE" help:"The request that the messages answer."`
	Header    []string `placeholder:"FILE" help:"The ebMS header of a message; repeat it for several, in their order."`
	Directory []string `name:"directory-answer" placeholder:"FILE" help:"An answer of the Evidence Broker or the Data Service Directory that the request came from."`
	Codelist  []string `placeholder:"FILE" help:"A genericode file to use, such as NUTS."`
	TDD       string   `name:"tdd" placeholder:"DIR" help:"A folder with the official schemas, Schematron and code lists, to run beside our rules."`
	Format    string   `enum:"text,json,junit,sarif" default:"text" help:"text, json, junit or sarif."`
	Files     []string `arg:"" name:"file" help:"Messages, folders of messages, or - for standard input."`
}

// maxMessage is the largest file that is read, in bytes: the reader's own limit
// and one more, so that it can say so.
const maxMessage = 16<<20 + 1

// maxCompared bounds the bytes of messages that are kept for conversations.
const maxCompared = 64 << 20

// Run ends with code 1 when a message or a conversation is refused, and with 2
// when a file could not be read.
func (c validate) Run(w *world) error {
	kind, ok := validator.ParseKind(c.Kind)
	if !ok {
		return fmt.Errorf("--kind %s: want auto or one of %s", c.Kind, strings.Join(validator.KindNames(), ", "))
	}
	line := validator.ParseLine(c.Line)
	if c.Line != "" && line == 0 {
		return fmt.Errorf("--line %s: want 1.0, 1.1, 1.2 or 2.0", c.Line)
	}
	lists, err := c.lists()
	if err != nil {
		return err
	}
	var set *official.Set
	if c.TDD != "" {
		if set, err = official.Load(c.TDD); err != nil {
			return err
		}
		for _, p := range set.Problems() {
			fmt.Fprintln(w.err, "oots:", p)
		}
		for _, d := range set.CompareLists(codelist.BuiltIn()) {
			fmt.Fprintln(w.err, "oots:", d)
		}
		lists = withNew(lists, set.Lists())
	}
	files, err := messageFiles(c.Files)
	if err != nil {
		return err
	}
	v := validator.New(validator.Config{Lists: lists})
	read := func(name string, kind validator.Kinds) (*validator.Report, []byte, error) {
		src, err := readMessage(name, w.in)
		if err != nil {
			return nil, nil, err
		}
		return v.Validate(src, validator.Options{Name: name, Kind: kind, Line: line}), src, nil
	}

	known, beside, err := c.related(read)
	if err != nil {
		return err
	}
	result := validator.Result{Messages: beside}
	show := progress(w, len(files))
	var messages []*validator.Message
	kept, differences := 0, 0
	for i, name := range files {
		show(i)
		rep, src, err := read(name, kind)
		if err != nil {
			return err
		}
		result.Messages = append(result.Messages, rep)
		if set != nil {
			n, err := c.beside(w, set, rep, src)
			if err != nil {
				return err
			}
			differences += n
		}
		if kept += len(src); kept <= maxCompared {
			messages = append(messages, rep.Message)
		}
		if c.Format == "text" && rep.Message != nil && kept > maxCompared {
			rep.Message = nil // the excerpts of later messages are let go
		}
	}
	show(len(files))
	if kept <= maxCompared {
		for _, conversation := range validator.Assemble(messages, known) {
			if conversation.Related() {
				result.Conversations = append(result.Conversations, v.Compare(conversation))
			}
		}
	} else {
		fmt.Fprintf(w.err, "oots: the messages have more than %d MB together; they were judged one by one, not as conversations\n", maxCompared>>20)
	}
	if err := c.write(w.out, &result); err != nil {
		return err
	}
	switch {
	case result.Refused():
		return no("%s", summary(&result))
	case differences > 0:
		return no("%d differences from the official files", differences)
	}
	return nil
}

func (c validate) lists() (*codelist.Set, error) {
	if len(c.Codelist) == 0 {
		return nil, nil
	}
	set := codelist.BuiltIn()
	for _, name := range c.Codelist {
		src, err := readMessage(name, nil)
		if err != nil {
			return nil, err
		}
		l, err := codelist.ReadGenericode(src)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		set = set.With(l)
	}
	return set, nil
}

// withNew adds the lists of a folder that are not built in, such as NUTS.
func withNew(lists *codelist.Set, theirs []*codelist.List) *codelist.Set {
	for _, l := range theirs {
		switch {
		case lists == nil && codelist.BuiltIn().List(l.Name) == nil:
			lists = codelist.BuiltIn().With(l)
		case lists != nil && lists.List(l.Name) == nil:
			lists = lists.With(l)
		}
	}
	return lists
}

// related reads the messages that the flags name; their reports come first.
func (c validate) related(read func(string, validator.Kinds) (*validator.Report, []byte, error)) (known validator.Related, beside []*validator.Report, err error) {
	take := func(name, flag string, kinds, force validator.Kinds) (*validator.Message, error) {
		rep, _, err := read(name, force)
		if err != nil {
			return nil, err
		}
		if rep.Message == nil || rep.Kind&kinds == 0 {
			return nil, fmt.Errorf("%s %s: this is no %s", flag, name, kinds.Words())
		}
		beside = append(beside, rep)
		return rep.Message, nil
	}
	if c.Request != "" {
		if known.Request, err = take(c.Request, "--request", validator.EDMRequest, 0); err != nil {
			return
		}
	}
	for _, name := range c.Header {
		m, err := take(name, "--header", validator.EBMSHeader, 0)
		if err != nil {
			return known, nil, err
		}
		known.Headers = append(known.Headers, m)
	}
	for _, name := range c.Directory {
		m, err := take(name, "--directory-answer", validator.CommonServices, 0)
		if err != nil {
			return known, nil, err
		}
		known.Directory = append(known.Directory, m)
	}
	return
}

// beside runs the official files over a message and tells where they differ
// from us.
func (c validate) beside(w *world, set *official.Set, rep *validator.Report, src []byte) (int, error) {
	if rep.Message == nil || rep.Kind == validator.Unknown {
		return 0, nil
	}
	verdict, err := set.Judge(w, src, official.Transaction(rep.Kind.String()))
	if err != nil {
		fmt.Fprintf(w.err, "oots: %s: the official files could not judge it: %v\n", rep.Name, err)
		return 0, nil
	}
	differences := official.Compare(rep, verdict)
	fmt.Fprintf(w.err, "%s: %d official Schematron files, %d findings, %d differences from ours\n", rep.Name, len(verdict.Files), len(verdict.Findings), len(differences))
	for _, d := range differences {
		fmt.Fprintf(w.err, "  %v\n", d)
	}
	for _, n := range verdict.NotEvaluated {
		fmt.Fprintf(w.err, "  not evaluated: %s\n", n)
	}
	return len(differences), nil
}

func (c validate) write(out io.Writer, r *validator.Result) error {
	switch c.Format {
	case "json":
		return r.WriteJSON(out)
	case "junit":
		return r.WriteJUnit(out)
	case "sarif":
		return r.WriteSARIF(out)
	}
	for i, rep := range append(slices.Clone(r.Messages), r.Conversations...) {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if err := rep.WriteText(out); err != nil {
			return err
		}
	}
	return nil
}

// summary counts what was refused.
func summary(r *validator.Result) string {
	count := func(reports []*validator.Report) (n int) {
		for _, rep := range reports {
			if rep.Refused() {
				n++
			}
		}
		return n
	}
	text := fmt.Sprintf("%d of %d messages refused", count(r.Messages), len(r.Messages))
	if n := count(r.Conversations); n > 0 {
		text += fmt.Sprintf(", %d of %d conversations", n, len(r.Conversations))
	}
	return text
}

// messageFiles lists the files meant: a folder stands for the .xml files below
// it, in order; hidden folders are left out.
func messageFiles(args []string) (files []string, err error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case arg == "-":
			files = append(files, arg)
			continue
		case err != nil:
			return nil, err
		case !info.IsDir():
			files = append(files, arg)
			continue
		}
		before := len(files)
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && path != arg && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			if d.Type().IsRegular() && strings.EqualFold(filepath.Ext(path), ".xml") {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s: no .xml file in this folder", arg)
		}
	}
	return files, nil
}

// readMessage reads a file, or standard input for "-", up to the limit.
func readMessage(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(in, maxMessage))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxMessage))
}

// progress shows on a terminal how far a long list is; elsewhere it is silent.
func progress(w *world, total int) func(done int) {
	f, ok := w.err.(*os.File)
	if !ok {
		return func(int) {}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(int) {}
	}
	began, shown := time.Now(), false
	last := began
	return func(done int) {
		switch now := time.Now(); {
		case done == total && shown:
			fmt.Fprint(f, "\r\x1b[K")
		case now.Sub(began) > time.Second && now.Sub(last) > 100*time.Millisecond:
			fmt.Fprintf(f, "\r%d of %d messages", done, total)
			last, shown = now, true
		}
	}
}
