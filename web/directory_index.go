package web

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
)

// directoryIndex is a data set joined as people ask for it: requirement by
// requirement, and below it who proves it in each country, how, by whom. It
// never changes.
type directoryIndex struct {
	set          *cs.DataSet
	requirements []indexedRequirement
	procedures   []string // codes, in the order of the data set
}

type indexedRequirement struct {
	sdg.Requirement
	words      string // folded
	procedures []string
	frameworks map[string][]cs.ReferenceFramework // by country
	answers    []provenBy                         // by country, in the order of countries
}

// provenBy is how one country proves a requirement.
type provenBy struct {
	Country string
	Lists   []provenList
	NoMatch bool
	Reasons []sdg.Text
	words   string // folded
}

// provenList is one alternative: all its evidence types are needed.
type provenList struct {
	Names []sdg.Text
	Types []provenType
	Areas []string // codes of the jurisdiction
}

type provenType struct {
	Address   string
	Titles    []sdg.Text
	Formats   []string
	Level     string
	Questions []sdg.ClassificationConcept
	Providers []provenProvider
}

type provenProvider struct {
	Names  []sdg.Text
	City   string
	Access []string
}

// requirementRef names a requirement.
type requirementRef struct {
	UUID    string
	Address string
	Names   []sdg.Text
}

func refOf(r *sdg.Requirement) requirementRef {
	return requirementRef{UUID: strings.TrimPrefix(r.ID, cs.Repository+"requirements/"), Address: r.ID, Names: r.Names}
}

func (r *indexedRequirement) ref() requirementRef { return refOf(&r.Requirement) }

func (r *indexedRequirement) cell(country string) cell {
	c := cell{Country: country, State: "gap"}
	i := slices.IndexFunc(r.answers, func(a provenBy) bool { return a.Country == country })
	if i < 0 {
		return c
	}
	a := &r.answers[i]
	c.N = len(a.Lists)
	switch {
	case len(a.Lists) == 0 && a.NoMatch:
		c.State = "nomatch"
	case slices.ContainsFunc(a.Lists, func(l provenList) bool {
		return len(l.Types) > 0 && !slices.ContainsFunc(l.Types, func(t provenType) bool { return len(t.Providers) == 0 })
	}):
		c.State = "proven"
	case len(a.Lists) > 0:
		c.State = "listed"
	}
	return c
}

// sorted are the answers in the order of their countries' names.
func (r *indexedRequirement) sorted(l *lang) []provenBy {
	var codes []string
	at := map[string]provenBy{}
	for _, a := range r.answers {
		codes, at[a.Country] = append(codes, a.Country), a
	}
	out := make([]provenBy, 0, len(codes))
	for _, cc := range l.sorted(codes) {
		out = append(out, at[cc])
	}
	return out
}

func newDirectoryIndex(set *cs.DataSet) *directoryIndex {
	ix := &directoryIndex{set: set, requirements: make([]indexedRequirement, len(set.Requirements))}
	at := map[string]*indexedRequirement{}
	for i := range set.Requirements {
		r := &ix.requirements[i]
		r.Requirement, r.frameworks = set.Requirements[i], map[string][]cs.ReferenceFramework{}
		at[r.ID] = r
	}
	types := map[string]sdg.EvidenceType{}
	for _, cc := range set.Countries() {
		for _, t := range set.Contributions[cc].EvidenceTypes {
			types[t.Classification] = t
		}
	}
	for _, cc := range set.Countries() {
		c := set.Contributions[cc]
		for _, f := range c.Frameworks {
			for _, address := range f.Requirements {
				if r := at[address]; r != nil {
					r.frameworks[cc] = append(r.frameworks[cc], f)
					for _, p := range f.Procedures {
						if !slices.Contains(r.procedures, p) {
							r.procedures = append(r.procedures, p)
						}
						if !slices.Contains(ix.procedures, p) {
							ix.procedures = append(ix.procedures, p)
						}
					}
				}
			}
		}
		offers := offersOf(c)
		for i := range c.Lists {
			l := &c.Lists[i]
			for _, address := range l.Requirements {
				if r := at[address]; r != nil {
					r.prove(cc, l, types, offers)
				}
			}
		}
	}
	slices.Sort(ix.procedures)
	for i := range ix.requirements {
		r := &ix.requirements[i]
		r.words = fold(joined(r.Names) + " " + joined(r.Descriptions) + " " + strings.Join(r.procedures, " "))
		for k := range r.answers {
			r.answers[k].words = fold(r.answers[k].text())
		}
	}
	return ix
}

// offersOf are a country's records by classification, with their providers.
func offersOf(c *cs.Contribution) map[string]provenType {
	by := map[string][]provenProvider{}
	for i := range c.Providers {
		p := &c.Providers[i]
		one := provenProvider{Names: p.Names}
		if p.Address != nil {
			one.City = p.Address.PostCityName
		}
		for _, s := range p.AccessServices {
			one.Access = append(one.Access, s.Value)
		}
		for _, id := range p.Records {
			by[id] = append(by[id], one)
		}
	}
	out := map[string]provenType{}
	for _, r := range c.Records {
		t := out[r.Classification]
		for _, d := range r.DistributedAs {
			for _, f := range d.Formats {
				if !slices.Contains(t.Formats, f) {
					t.Formats = append(t.Formats, f)
				}
			}
		}
		t.Level, t.Questions = r.LevelOfAssurance, r.ProviderQuestions
		t.Providers = append(t.Providers, by[r.ID]...)
		out[r.Classification] = t
	}
	return out
}

func (r *indexedRequirement) prove(cc string, l *cs.EvidenceTypeList, types map[string]sdg.EvidenceType, offers map[string]provenType) {
	i := slices.IndexFunc(r.answers, func(a provenBy) bool { return a.Country == cc })
	if i < 0 {
		r.answers, i = append(r.answers, provenBy{Country: cc}), len(r.answers)
	}
	a := &r.answers[i]
	if l.MatchType != "" {
		a.NoMatch, a.Reasons = true, l.MatchDescriptions
		return
	}
	p := provenList{Names: l.Names}
	if l.Jurisdiction != nil {
		for _, c := range l.Jurisdiction.Classifications {
			p.Areas = append(p.Areas, c.Code)
		}
	}
	for _, address := range l.Types {
		t := offers[address]
		t.Address, t.Titles = address, types[address].Titles
		p.Types = append(p.Types, t)
	}
	a.Lists = append(a.Lists, p)
}

// text is everything in an answer that somebody may look for.
func (a *provenBy) text() string {
	var b strings.Builder
	say := func(s string) { b.WriteString(s + " ") }
	say(a.Country)
	say(joined(a.Reasons))
	for _, l := range a.Lists {
		say(joined(l.Names))
		for _, t := range l.Types {
			say(joined(t.Titles))
			say(strings.Join(t.Formats, " "))
			for _, q := range t.Questions {
				say(joined(q.Descriptions))
			}
			for _, p := range t.Providers {
				say(joined(p.Names))
				say(p.City)
				say(strings.Join(p.Access, " "))
			}
		}
	}
	return b.String()
}

func joined(list []sdg.Text) string {
	var b strings.Builder
	for _, t := range list {
		b.WriteString(t.Value + " ")
	}
	return b.String()
}

// fold makes text comparable: lower case without accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFD.String(s))
}

// filler are words of a question that name nothing, by language. A question
// that holds nothing else finds everything.
var filler = strings.Fields(`which what who whom whose where how does do is are the a an of in by to for and or with country countries member state states
	prove proves proved proven proof evidence issue issues issued document documents
	welche welcher welches was wer wem wo wie ist sind der die das ein eine von aus fur und oder mit land lander weist weisen nach nachweis nachweise beweist
	quels quelles quel quelle qui que ou comment est sont le la les un une des de du en par pour et avec pays prouve prouvent preuve preuves
	ποιες ποιοι ποια ποιος που πως τι ειναι ο η το οι τα ενα μια του της των σε απο για και με χωρα χωρες αποδεικνυουν αποδεικνυει αποδειξη`)

// found is one requirement with the countries that answer.
type found struct {
	requirementRef
	Descriptions []sdg.Text
	Procedures   []string
	Answers      []provenBy
	Gaps         int // countries that say nothing, when no country was asked for
}

// find answers a question in words. A word must begin a word of the requirement
// or of a country's answer; country, if given, is the only one shown.
func (ix *directoryIndex) find(l *lang, question, country string) []found {
	var words []string
	for _, w := range strings.Fields(fold(question)) {
		if !slices.Contains(filler, w) && len(words) < 12 {
			words = append(words, w)
		}
	}
	var exact, partly []found
	for i := range ix.requirements {
		r := &ix.requirements[i]
		f := found{requirementRef: r.ref(), Descriptions: r.Descriptions, Procedures: r.procedures}
		inTitle := hasWords(r.words, words)
		for _, a := range r.sorted(l) {
			if country != "" && a.Country != country {
				continue
			}
			text := r.words + " " + a.words + " " + fold(l.Country(a.Country))
			if inTitle || hasWords(text, words) {
				f.Answers = append(f.Answers, a)
			}
		}
		switch {
		case inTitle:
			if country == "" {
				f.Gaps = len(ix.set.Contributions) - len(r.answers)
			}
			exact = append(exact, f)
		case len(f.Answers) > 0:
			partly = append(partly, f)
		}
	}
	return append(exact, partly...)
}

// hasWords tells whether every word begins a word of the text.
func hasWords(text string, words []string) bool {
	text = " " + text
	for _, w := range words {
		if !strings.Contains(text, " "+w) {
			return false
		}
	}
	return true
}
