package oots

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/once-only/oots"

// floors is the house from the ground up. A package may import packages of
// floors below its own; on its own floor only what beside names. A folder
// below a listed one stands on the same floor as its parent.
var floors = [][]string{
	{"xmltree", "pki", "suites", "browsertest"},
	{"regrep", "codelist", "ledger", "access", "webhook", "correction"},
	{"sdg"},
	{"edm", "commonservices", "as4"},
	{"validator"},
	{"exchange", "testbed", "projectathon", "onboarding", "acceleratormeter"}, // streets
	{"store", "web"},
	{"network"},
	{"bench"},
	{"cmd"},
}

// beside lists imports that are allowed on one floor: each one a decision.
var beside = map[string][]string{
	"commonservices": {"as4"}, // submissions of life-cycle management travel over AS4 alone
}

// onlyHere are libraries that may be imported by one package alone.
var onlyHere = map[string]string{
	"github.com/lestrrat-go/helium": "validator/official",
}

func TestFloors(t *testing.T) {
	floor := map[string]int{}
	for i, rooms := range floors {
		for _, room := range rooms {
			floor[room] = i
		}
	}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (file == "tools" || file != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || path.Dir(file) == "." {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		here := path.Dir(filepath.ToSlash(file))
		room, _, _ := strings.Cut(here, "/")
		mine, known := floor[room]
		if !known {
			t.Errorf("%s: the room %q stands on no floor; add it to the table", file, room)
			return nil
		}
		for _, imp := range f.Imports {
			p, _ := strconv.Unquote(imp.Path.Value)
			for lib, only := range onlyHere {
				if strings.HasPrefix(p, lib) && here != only {
					t.Errorf("%s imports %s, which is for %s alone", file, p, only)
				}
			}
			target, ours := strings.CutPrefix(p, module+"/")
			if !ours || strings.HasSuffix(file, "_test.go") {
				continue
			}
			other, _, _ := strings.Cut(target, "/")
			theirs, ok := floor[other]
			switch {
			case !ok:
				t.Errorf("%s imports %s, which stands on no floor", file, target)
			case other == room || theirs < mine:
			case theirs == mine && allowed(room, other):
			default:
				t.Errorf("%s (floor %d) imports %s (floor %d): an import points down", file, mine, target, theirs)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func allowed(room, other string) bool {
	for _, b := range beside[room] {
		if b == other {
			return true
		}
	}
	return false
}
