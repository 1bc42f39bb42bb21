// Package testbed runs conformance test cases against a system under test: a
// case is one text archive that anybody can write, a suite is a folder of them,
// a run is bound to a version of everything, and its result can become a fact
// of the ledger.
//
// The case format is described in docs/cases.md. Simulated partners and the
// practice system stand in package partner, changes to messages in package
// draft. Which suites a component must pass is the business of the criteria
// (see acceleratormeter); who tests with whom that of projectathon.
package testbed

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/once-only/oots/testbed/partner"
)

// MaxCase bounds a case file, in octets; MaxSteps its steps.
const (
	MaxCase  = 256 << 10
	MaxSteps = 200
)

// Case is one test case: what it proves, and how.
type Case struct {
	ID    string // EP-SIM-041, TC06_b
	Title string
	Suite string // the folder
	File  string
	Cites []string // sections and rules of the specification
	// Lines are the specification lines it is for; empty: any.
	Lines []string
	// Role is what the system under test plays. A peer case has several.
	Role  string
	Roles []string
	// Fault is the deviation that it exists to find: a practice system that has
	// it must fail.
	Fault   string
	FaultOf string   // of a peer case: the actor that has it
	Feeds   []string // criteria that a pass carries
	// Shows is the peer case whose promise this case proves with one system
	// alone, such as TC20; "" for none.
	Shows    string
	Optional bool
	Group    string // of a peer case: L1, L2 …
	Version  string
	Steps    []Step
	Files    map[string]string
	Hash     string // SHA-256 of the file
}

// Step is one line of a case.
type Step struct {
	Line  int
	Actor string // of a peer case: requester, provider, second, directory, user, platform
	Verb  string
	Args  []string
}

func (s Step) String() string {
	text := strings.Join(append([]string{s.Verb}, s.Args...), " ")
	if s.Actor != "" {
		return s.Actor + ": " + text
	}
	return text
}

// Problem is what is wrong with a case file.
type Problem struct {
	File string
	Line int // 0 for the whole file
	Text string
}

func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Roles that a case may put under test, with the component that plays each.
var Roles = []struct{ Role, Component, About string }{
	{"evidence-requester", "ER", "asks for evidence and takes the answer"},
	{"evidence-provider", "DS", "answers requests, with preview where it has one"},
	{"access-point", "AP", "sends and receives AS4 messages"},
	{"directory-client", "CSQ", "asks the directories"},
	{"directory", "CSI", "answers queries as an own instance of the Common Services"},
	{"metadata-updater", "MD", "submits metadata"},
	{"metadata-registry", "CSI", "takes submissions"},
	{"identity-requester", "EID-R", "identifies the user and passes the identity on"},
	{"identity-provider", "EID-P", "re-authenticates the user and matches the person"},
	{"log", "LOG", "keeps the log of exchanges"},
}

func knownRole(role string) bool {
	for _, r := range Roles {
		if r.Role == role {
			return true
		}
	}
	return false
}

// Actors of the steps of a peer case.
var actors = []string{"requester", "provider", "second", "directory", "user", "platform", "monitor"}

var (
	caseID    = regexp.MustCompile(`^([A-Z][A-Z0-9]*(-[A-Z0-9]+)*-[0-9]{3}|TC[0-9]{2}(_[a-z])?)$`)
	someLine  = regexp.MustCompile(`^oots-(edm|cs|lcm):v[0-9]+\.[0-9]+$`)
	someWord  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	peerID    = regexp.MustCompile(`^TC[0-9]{2}(_[a-z])?$`)
	criterion = regexp.MustCompile(`^AM[1-6]\.[0-9]+$`)
)

// ParseCase reads a case file. The error is a Problem.
func ParseCase(file string, text []byte) (*Case, error) {
	if len(text) > MaxCase {
		return nil, Problem{file, 0, fmt.Sprintf("the file has %d octets; a case has at most %d", len(text), MaxCase)}
	}
	archive := txtar.Parse(text)
	sum := sha256.Sum256(text)
	c := &Case{File: file, Files: map[string]string{}, Hash: hex.EncodeToString(sum[:]), Version: "1"}
	for _, f := range archive.Files {
		if _, twice := c.Files[f.Name]; twice {
			return nil, Problem{file, 0, fmt.Sprintf("the file %s stands there twice", f.Name)}
		}
		c.Files[f.Name] = string(f.Data)
	}
	given := map[string]bool{}
	for i, line := range strings.Split(string(archive.Comment), "\n") {
		words, err := split(line)
		if err != nil {
			return nil, Problem{file, i + 1, err.Error()}
		}
		if len(words) == 0 {
			continue
		}
		if set := headers[words[0]]; set != nil {
			if given[words[0]] {
				return nil, Problem{file, i + 1, fmt.Sprintf("%q stands there twice", words[0])}
			}
			if len(c.Steps) > 0 {
				return nil, Problem{file, i + 1, fmt.Sprintf("%q belongs before the steps", words[0])}
			}
			given[words[0]] = true
			if why := set(c, words[1:]); why != "" {
				return nil, Problem{file, i + 1, why}
			}
			continue
		}
		s := Step{Line: i + 1, Verb: words[0], Args: words[1:]}
		if actor, ok := strings.CutSuffix(words[0], ":"); ok {
			if !slices.Contains(actors, actor) || len(words) < 2 {
				return nil, Problem{file, i + 1, fmt.Sprintf("no actor is called %q; there are %s", actor, strings.Join(actors, ", "))}
			}
			s = Step{Line: i + 1, Actor: actor, Verb: words[1], Args: words[2:]}
		}
		if why := c.checkStep(s); why != "" {
			return nil, Problem{file, i + 1, why}
		}
		if c.Steps = append(c.Steps, s); len(c.Steps) > MaxSteps {
			return nil, Problem{file, i + 1, fmt.Sprintf("a case has at most %d steps", MaxSteps)}
		}
	}
	if why := c.complete(given); why != "" {
		return nil, Problem{file, 0, why}
	}
	return c, nil
}

// split cuts a line into words; a word in quotation marks may hold blanks. A
// word that begins with # ends the line.
func split(line string) (words []string, err error) {
	for {
		line = strings.TrimLeft(line, " \t\r")
		switch {
		case line == "" || line[0] == '#':
			return words, nil
		case line[0] == '"':
			end := strings.IndexByte(line[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("a quotation mark does not close")
			}
			words, line = append(words, line[1:1+end]), line[2+end:]
		default:
			end := strings.IndexAny(line, " \t\r")
			if end < 0 {
				end = len(line)
			}
			words, line = append(words, line[:end]), line[end:]
		}
	}
}

// headers are the words that a case may begin with.
var headers = map[string]func(*Case, []string) string{
	"case": func(c *Case, w []string) string {
		if len(w) < 2 || !caseID.MatchString(w[0]) {
			return "case wants an id such as EP-SIM-041 and a title"
		}
		c.ID, c.Title = w[0], strings.Join(w[1:], " ")
		return ""
	},
	"cites": func(c *Case, w []string) string {
		for _, part := range strings.Split(strings.Join(w, " "), ",") {
			if part = strings.TrimSpace(part); part != "" {
				c.Cites = append(c.Cites, part)
			}
		}
		return need(len(c.Cites) > 0, "cites wants sections or rules, separated by commas")
	},
	"lines": func(c *Case, w []string) string {
		c.Lines = w
		for _, l := range w {
			if !someLine.MatchString(l) {
				return fmt.Sprintf("%q is no specification line such as oots-edm:v2.0", l)
			}
		}
		return need(len(w) > 0, "lines wants specification lines")
	},
	"role": func(c *Case, w []string) string {
		c.Roles = w
		for _, r := range w {
			if !knownRole(r) {
				return fmt.Sprintf("no role is called %q", r)
			}
		}
		if len(w) > 0 {
			c.Role = w[0]
		}
		return need(len(w) > 0, "role wants the role under test")
	},
	"fault": func(c *Case, w []string) string {
		if len(w) == 2 && (w[1] == "requester" || w[1] == "provider") {
			c.FaultOf, w = w[1], w[:1]
		}
		if len(w) != 1 || partner.FindFault(w[0]) == nil {
			return fmt.Sprintf("no fault is called %q (oots test list --faults shows them)", strings.Join(w, " "))
		}
		c.Fault = w[0]
		return ""
	},
	"feeds": func(c *Case, w []string) string {
		c.Feeds = w
		for _, f := range w {
			if !criterion.MatchString(f) {
				return fmt.Sprintf("%q is no criterion such as AM4.4", f)
			}
		}
		return ""
	},
	"shows": func(c *Case, w []string) string {
		c.Shows = strings.Join(w, " ")
		return need(peerID.MatchString(c.Shows), "shows wants the id of one peer case, such as TC20")
	},
	"optional": func(c *Case, w []string) string { c.Optional = true; return need(len(w) == 0, "optional stands alone") },
	"group":    func(c *Case, w []string) string { c.Group = strings.Join(w, " "); return "" },
	"version": func(c *Case, w []string) string {
		c.Version = strings.Join(w, " ")
		return need(len(w) == 1 && someWord.MatchString(c.Version), "version wants one word")
	},
}

func need(ok bool, why string) string {
	if ok {
		return ""
	}
	return why
}

func (c *Case) complete(given map[string]bool) string {
	for _, word := range []string{"case", "cites", "role"} {
		if !given[word] {
			return fmt.Sprintf("the line %q is missing", word)
		}
	}
	if len(c.Steps) == 0 {
		return "the case has no steps"
	}
	if c.Shows != "" && (c.Peer() || c.Role != "evidence-requester" && c.Role != "evidence-provider") {
		return "shows is for a case about one evidence-requester or one evidence-provider"
	}
	return ""
}

// checkStep judges a step as far as that is possible without running it.
func (c *Case) checkStep(s Step) string {
	v, known := verbs[s.Verb]
	if !known {
		return fmt.Sprintf("no verb is called %q; there are %s", s.Verb, strings.Join(verbNames(), ", "))
	}
	if len(s.Args) < v.min || v.max >= 0 && len(s.Args) > v.max {
		return fmt.Sprintf("write %s %s", s.Verb, v.usage)
	}
	if v.check != nil {
		return v.check(c, s.Args)
	}
	return ""
}

// Peer tells that the case is played by several systems.
func (c *Case) Peer() bool { return len(c.Roles) > 1 }

// Answers tells that the case can be played only with a system that answers
// requests too, whatever role it tests: it waits for such an answer, or for
// metadata that only a provider has.
func (c *Case) Answers() bool {
	return slices.ContainsFunc(c.Steps, func(s Step) bool {
		switch s.Verb {
		case "expect":
			return slices.ContainsFunc(strings.Split(s.Args[0], "|"), func(action string) bool { return action == "ExecuteQueryResponse" || action == "ExceptionResponse" })
		case "do":
			return s.Args[0] == "submit" && slices.ContainsFunc(s.Args, func(a string) bool { return a == "of=dsd" || strings.HasPrefix(a, "remove=") })
		}
		return false
	})
}

// Speaks tells whether the case is for a line.
func (c *Case) Speaks(line string) bool {
	family, _, _ := strings.Cut(line, ":")
	if len(c.Lines) == 0 || slices.Contains(c.Lines, line) {
		return true
	}
	return !slices.ContainsFunc(c.Lines, func(l string) bool { return strings.HasPrefix(l, family+":") })
}
