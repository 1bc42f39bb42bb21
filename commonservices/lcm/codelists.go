package lcm

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/once-only/oots/codelist"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Lists is how a Member State's classification scheme travels in the slot
// CodeList. The wire form of the rule set MS-CLASS-SUB is not published
// (TDD 3.5.2), so it stands behind this interface.
type Lists interface {
	Read(e *xmltree.Element) (*cs.CodeList, error)
	Write(w *xmltree.Writer, country string, l *cs.CodeList)
}

// Genericode writes a scheme as the OASIS genericode document that the Semantic
// Repository publishes: ShortName, LongName for titles, Version, the columns
// code and name-XX for each language.
type Genericode struct{}

// Read reads one gc:CodeList.
func (Genericode) Read(e *xmltree.Element) (*cs.CodeList, error) {
	var b bytes.Buffer
	if err := e.Canonical(&b); err != nil {
		return nil, err
	}
	read, err := codelist.ReadGenericode(b.Bytes())
	if err != nil {
		return nil, regrep.Refuse(e, "%s", err)
	}
	l := &cs.CodeList{Name: read.Name, Version: read.Edition}
	for title := range e.Find("", "Identification").Each("", "LongName") {
		l.Titles = append(l.Titles, sdg.Text{Lang: title.Attr(xmltree.XMLSpace, "lang"), Value: title.Norm()})
	}
	for row := range read.Rows() {
		c := cs.Code{Code: row.Code()}
		for _, column := range read.Columns {
			lang, ok := strings.CutPrefix(column, "name-")
			if name := row.Get(column); ok && name != "" {
				c.Names = append(c.Names, sdg.Text{Lang: lang, Value: name})
			}
		}
		l.Codes = append(l.Codes, c)
	}
	return l, nil
}

// Write writes one gc:CodeList.
func (Genericode) Write(w *xmltree.Writer, country string, l *cs.CodeList) {
	w.Open("gc:CodeList")
	w.Bind("gc", codelist.GenericodeSpace)
	w.Open("Identification")
	w.Leaf("ShortName", l.Name)
	for _, t := range l.Titles {
		w.Leaf("LongName", t.Value, "xml:lang", t.Lang)
	}
	w.Leaf("Version", l.Version)
	w.Leaf("CanonicalUri", cs.CodeListAddress(country, l.Name))
	w.Leaf("CanonicalVersionUri", cs.CodeListAddress(country, l.Name)+"/"+l.Version)
	w.Close()
	var langs []string
	for _, c := range l.Codes {
		for _, n := range c.Names {
			if !slices.Contains(langs, n.Lang) {
				langs = append(langs, n.Lang)
			}
		}
	}
	w.Open("ColumnSet")
	column := func(id, use string) {
		w.Open("Column", "Id", id, "Use", use)
		w.Leaf("ShortName", id)
		w.Open("Data", "Type", "string")
		w.Close()
		w.Close()
	}
	column("code", "required")
	for _, lang := range langs {
		column("name-"+lang, "optional")
	}
	w.Open("Key", "Id", "codeKey")
	w.Leaf("ShortName", "codeKey")
	w.Open("ColumnRef", "Ref", "code")
	w.Close()
	w.Close()
	w.Close()
	w.Open("SimpleCodeList")
	for _, c := range l.Codes {
		w.Open("Row")
		cell(w, "code", c.Code)
		for _, n := range c.Names {
			cell(w, "name-"+n.Lang, n.Value)
		}
		w.Close()
	}
	w.Close()
	w.Close()
}

func cell(w *xmltree.Writer, column, value string) {
	w.Open("Value", "ColumnRef", column)
	w.Leaf("SimpleValue", value)
	w.Close()
}

// follow holds a country's new code lists to the versions of the old ones and
// gives them their history: what was published under a version never changes,
// and a value that an object uses stays (TDD 3.5.2).
func follow(old, next *cs.Contribution) []Fault {
	var out []Fault
	say := func(l *cs.CodeList, format string, args ...any) {
		out = append(out, Fault{Code: BadObject, Rule: RuleVersion, Object: cs.CodeListAddress(next.Country, l.Name), Text: fmt.Sprintf(format, args...)})
	}
	if old == nil {
		old = &cs.Contribution{Country: next.Country}
	}
	used := usedCodes(next)
	next.CodeLists = slices.Clone(next.CodeLists)
	for i := range next.CodeLists {
		l := &next.CodeLists[i]
		if !versionForm(l.Version) {
			say(l, "the version %.20q is not of numbers and dots; write one such as 1.0.0", l.Version)
			continue
		}
		before := listNamed(old, l.Name)
		if before == nil {
			continue
		}
		l.Earlier = before.Earlier
		same, later := sameCodes(before.Codes, l.Codes), compareVersions(l.Version, before.Version)
		switch {
		case later < 0:
			say(l, "the version %s is older than %s, which is in force; raise it", l.Version, before.Version)
		case !same && later == 0:
			say(l, "the codes changed and the version stayed %s; raise the version", l.Version)
		case later > 0:
			l.Earlier = append(slices.Clone(before.Earlier), cs.CodeListEdition{Version: before.Version, Codes: before.Codes})
			if over := len(l.Earlier) - mostEditions; over > 0 {
				l.Earlier = l.Earlier[over:]
			}
		}
		for _, c := range before.Codes {
			if by := used[cs.CodeListAddress(next.Country, l.Name)][c.Code]; by != "" && !l.Has(c.Code) {
				say(l, "the value %q is removed and %s still uses it; change that object first", c.Code, by)
			}
		}
	}
	for i := range old.CodeLists {
		l := &old.CodeLists[i]
		if listNamed(next, l.Name) == nil {
			for _, by := range used[cs.CodeListAddress(next.Country, l.Name)] {
				say(l, "the list is removed and %s still uses it", by)
				break
			}
		}
	}
	return out
}

// mostEditions bounds the history of one list.
const mostEditions = 50

func listNamed(c *cs.Contribution, name string) *cs.CodeList {
	i := slices.IndexFunc(c.CodeLists, func(l cs.CodeList) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return &c.CodeLists[i]
}

func sameCodes(a, b []cs.Code) bool {
	return slices.EqualFunc(a, b, func(x, y cs.Code) bool { return x.Code == y.Code && slices.Equal(x.Names, y.Names) })
}

// usedCodes tells, by list and code, which object uses it.
func usedCodes(c *cs.Contribution) map[string]map[string]string {
	used := map[string]map[string]string{}
	use := func(list, code, by string) {
		if used[list] == nil {
			used[list] = map[string]string{}
		}
		used[list][code] = by
	}
	area := func(j *sdg.Jurisdiction, by string) {
		if j != nil {
			for _, a := range j.Classifications {
				use(a.List, a.Code, by)
			}
		}
	}
	for i := range c.Providers {
		p := &c.Providers[i]
		by := "the provider " + p.Identifier.Value
		area(p.Jurisdiction, by)
		for _, v := range p.Concepts {
			if v.Values != nil && strings.EqualFold(v.Type, "codelist") {
				for _, s := range v.Values.Strings {
					use(v.ValueExpression, s, by)
				}
			}
		}
	}
	for i := range c.Lists {
		area(c.Lists[i].Jurisdiction, "the evidence type list "+c.Lists[i].ID)
	}
	for i := range c.Frameworks {
		area(c.Frameworks[i].Jurisdiction, "the procedure "+c.Frameworks[i].ID)
	}
	return used
}

func versionForm(v string) bool {
	if v == "" || len(v) > 40 {
		return false
	}
	for part := range strings.SplitSeq(v, ".") {
		if _, err := strconv.ParseUint(part, 10, 32); err != nil {
			return false
		}
	}
	return true
}

// compareVersions compares versions of numbers and dots.
func compareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if d := part(as, i) - part(bs, i); d != 0 {
			return d
		}
	}
	return 0
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, _ := strconv.Atoi(parts[i])
	return n
}
