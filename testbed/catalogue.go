package testbed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/once-only/oots/testbed/draft"
)

// Suite is a folder of cases.
type Suite struct {
	Name  string
	Title string
	Cases []*Case
	base  map[string]string
}

// defaultLine is the line of cases and runs that name none.
const defaultLine = "oots-edm:v2.0"

// Catalogue is all suites that were loaded, with what was wrong with some of
// their files.
type Catalogue struct {
	// Version names the content: the first twelve digits of the SHA-256 over all
	// case files and base messages.
	Version  string
	Suites   []*Suite
	Problems []Problem
	base     map[string]string // for all suites
	under    *Catalogue        // whose base messages and peer cases are known here too; nil: none
}

// Load reads a folder of suites: a folder each, a file (.txt) each case. The
// first line of a folder's README is its title. Base messages lie in base/, of
// the suite or beside the suites. A broken file is a Problem and the rest is
// loaded.
func Load(files fs.FS) (*Catalogue, error) { return LoadOver(files, nil) }

// LoadOver reads a folder of own suites, whose cases may stand on the base
// messages of another catalogue and show its peer cases.
func LoadOver(files fs.FS, under *Catalogue) (*Catalogue, error) {
	c := &Catalogue{base: map[string]string{}, under: under}
	digest := sha256.New()
	folders, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	seen := map[string]string{}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		s := &Suite{Name: folder.Name(), base: map[string]string{}}
		err := fs.WalkDir(files, folder.Name(), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, file)
			if err != nil {
				return err
			}
			fmt.Fprintf(digest, "%s %d\n", file, len(text))
			digest.Write(text)
			switch name := path.Base(file); {
			case folder.Name() == "base":
				c.base[strings.TrimSuffix(name, path.Ext(name))] = string(text)
			case path.Base(path.Dir(file)) == "base":
				s.base[strings.TrimSuffix(name, path.Ext(name))] = string(text)
			case name == "README.md":
				title, _, _ := bytes.Cut(text, []byte("\n"))
				s.Title = strings.TrimSpace(strings.TrimLeft(string(title), "# "))
			case path.Ext(name) == ".txt":
				c.add(s, file, text, seen)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(s.Cases) > 0 {
			sort.Slice(s.Cases, func(i, j int) bool { return s.Cases[i].ID < s.Cases[j].ID })
			c.Suites = append(c.Suites, s)
		}
	}
	c.check()
	c.Version = hex.EncodeToString(digest.Sum(nil))[:12]
	return c, nil
}

func (c *Catalogue) add(s *Suite, file string, text []byte, seen map[string]string) {
	parsed, err := ParseCase(file, text)
	var p Problem
	switch {
	case errors.As(err, &p):
		c.Problems = append(c.Problems, p)
	case seen[parsed.ID] != "":
		c.Problems = append(c.Problems, Problem{file, 1, fmt.Sprintf("%s stands in %s already", parsed.ID, seen[parsed.ID])})
	default:
		seen[parsed.ID] = file
		parsed.Suite = s.Name
		s.Cases = append(s.Cases, parsed)
	}
}

// check leaves out cases that name what is not there: a peer case, or a base
// message.
func (c *Catalogue) check() {
	for _, s := range c.Suites {
		s.Cases = slices.DeleteFunc(s.Cases, func(k *Case) bool {
			why := c.missing(k)
			if why != "" {
				c.Problems = append(c.Problems, Problem{k.File, 0, why})
			}
			return why != ""
		})
	}
	c.Suites = slices.DeleteFunc(c.Suites, func(s *Suite) bool { return len(s.Cases) == 0 })
}

// missing is what a case names and nobody knows.
func (c *Catalogue) missing(k *Case) string {
	if k.Shows != "" && !c.hasPeer(k.Shows) {
		return fmt.Sprintf("it shows %s, and there is no peer case of that id", k.Shows)
	}
	lines := k.Lines
	if len(lines) == 0 {
		lines = []string{defaultLine}
	}
	for _, name := range slices.Sorted(maps.Keys(k.Files)) {
		base := draft.Base(k.Files[name])
		for _, line := range lines {
			if _, found := c.baseOf(k, line)(base); base != "" && !found {
				return fmt.Sprintf("%s stands on the base message %q, which is not there for %s", name, base, line)
			}
		}
	}
	return ""
}

func (c *Catalogue) hasPeer(id string) bool {
	if k := c.Case(id); k != nil && k.Peer() {
		return true
	}
	return c.under != nil && c.under.hasPeer(id)
}

// Suite finds a suite by its name, in any case.
func (c *Catalogue) Suite(name string) *Suite {
	if i := slices.IndexFunc(c.Suites, func(s *Suite) bool { return strings.EqualFold(s.Name, name) }); i >= 0 {
		return c.Suites[i]
	}
	return nil
}

// Case finds a case by its id, in any case.
func (c *Catalogue) Case(id string) *Case {
	for _, s := range c.Suites {
		for _, k := range s.Cases {
			if strings.EqualFold(k.ID, id) {
				return k
			}
		}
	}
	return nil
}

// baseOf looks for a base message of a case on a line: "request" is the file
// request.v2.0 on oots-edm:v2.0, else request; the suite's own come first.
func (c *Catalogue) baseOf(k *Case, line string) func(string) (string, bool) {
	_, version, _ := strings.Cut(line, ":")
	return func(name string) (string, bool) {
		if text, ok := k.Files[name]; ok {
			return text, true
		}
		var own map[string]string
		if s := c.Suite(k.Suite); s != nil {
			own = s.base
		}
		from := []map[string]string{own, c.base}
		for under := c.under; under != nil; under = under.under {
			from = append(from, under.base)
		}
		for _, from := range from {
			for _, n := range []string{name + "." + version, name} {
				if text, ok := from[n]; ok {
					return text, true
				}
			}
		}
		return "", false
	}
}
