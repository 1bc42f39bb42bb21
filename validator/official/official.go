// Package official runs a user's own copy of the published OOTS artefacts
// (XML Schema 1.1, Schematron with XSLT 2 query binding, genericode) over
// messages, so that their verdict can be laid beside that of our own rules.
// The artefacts are not part of this repository; they come from a folder.
//
// Nothing is skipped in silence: a file that cannot be used is named in
// [Set.Problems] with the construct, an expression that cannot be evaluated in
// [Verdict.NotEvaluated]. Nothing outside of the folder is ever read.
package official

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lestrrat-go/helium/xsd"

	"github.com/once-only/oots/codelist"
)

// Transaction names a message as the rule ids do, by the part between R- and the
// number; several joined by + for a submission to two services. The names are
// those of validator.Kinds.
type Transaction string

// The transactions of the Exchange Data Model and of the Common Services.
const (
	EvidenceRequest  Transaction = "EDM-REQ"
	EvidenceResponse Transaction = "EDM-RESP"
	EvidenceError    Transaction = "EDM-ERR"
	EBRequirements   Transaction = "EB-REQ" // answer to the EB's first query
	EBEvidenceTypes  Transaction = "EB-EVI" // answer to the EB's second query
	EBError          Transaction = "EB-ERR"
	EBSubmission     Transaction = "EB-SUB"
	DSDResponse      Transaction = "DSD-RESP"
	DSDError         Transaction = "DSD-ERR"
	DSDSubmission    Transaction = "DSD-SUB"
	LCMSuccess       Transaction = "LCM-SUC"
	LCMError         Transaction = "LCM-ERR"
)

// RuleXSD is the rule of findings that come from XML Schema.
const RuleXSD = "XSD"

// Problem is what is wrong with the folder: a file that cannot be used, or,
// with Warning, one that is used with a doubt.
type Problem struct {
	File      string // in the folder; empty when it concerns several
	Line      int    // 0 when unknown
	Construct string // the element, attribute, namespace or expression
	Text      string
	Warning   bool
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Construct != "" {
		b.WriteString(p.Construct + ": ")
	}
	return b.String() + p.Text
}

// Finding is one thing that the official files say against a message.
type Finding struct {
	Rule     string // id of the assertion; file:line where it has none; RuleXSD
	Severity string // FATAL, WARNING or CAUTION
	Role     string // role or flag as the file has it
	File     string // of the folder
	Line     int    // in the message
	Node     string // path of names to the node
	Message  string
}

// Verdict is what the official files say about one message.
type Verdict struct {
	Transaction  Transaction
	Schema       bool     // an XML Schema for the root's namespace was there
	Files        []string // Schematron files that ran
	Rules        []string // ids of the assertions in them
	Findings     []Finding
	NotEvaluated []string
}

// Set is a loaded folder. It is immutable and safe for concurrent use.
type Set struct {
	schema      *xsd.Schema
	namespaces  map[string]string // of the schema → file
	schematrons []*schematron
	lists       []*codelist.List
	problems    []Problem
}

// Load reads the artefacts under dir. It fails when the folder cannot be read
// or holds nothing that can be used; the reasons are in the error then.
func Load(dir string) (*Set, error) {
	ctx := context.Background()
	files, problems, err := readFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("official artefacts: %w", err)
	}
	s := &Set{problems: problems}
	schema, namespaces, more := compileSchemas(ctx, files)
	s.schema, s.namespaces, s.problems = schema, namespaces, append(s.problems, more...)
	for _, name := range files.names(".sch") {
		sch, err := compileSchematron(ctx, name, files[name])
		if err == nil && sch.transaction == "" {
			err = errors.New("no rule id says for which message the file is")
		}
		if err != nil {
			s.problems = append(s.problems, problem(name, err))
			continue
		}
		s.schematrons = append(s.schematrons, sch)
	}
	s.lists, more = readLists(files)
	s.problems = append(s.problems, more...)
	if s.schema == nil && len(s.schematrons) == 0 && len(s.lists) == 0 {
		reasons := []error{errNothing}
		for _, p := range s.problems {
			reasons = append(reasons, errors.New(p.String()))
		}
		return nil, fmt.Errorf("official artefacts in %s: %w", dir, errors.Join(reasons...))
	}
	return s, nil
}

func problem(file string, err error) Problem {
	p := Problem{File: file, Text: err.Error()}
	var c *construct
	if errors.As(err, &c) {
		p.Line, p.Construct, p.Text = c.line, c.name, c.text
	}
	return p
}

// Problems lists what could not be used, and what is used with a doubt.
func (s *Set) Problems() []Problem { return s.problems }

// Files lists the Schematron files that can be used.
func (s *Set) Files() []string {
	var out []string
	for _, sch := range s.schematrons {
		out = append(out, sch.file)
	}
	return out
}
