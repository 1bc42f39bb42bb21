package network

import (
	"slices"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/edm"
)

// Components are the codes of what the country's node consists of, as it
// declares them (acceleratormeter.md §3.1).
func (m Member) Components() []string {
	all := []string{"AP"}
	if !m.NoRequester {
		all = append(all, "CSQ", "ER", "PP", "EID-R")
	}
	if !m.NoProvider {
		all = append(all, "DS", "PRV", "EID-P")
	}
	all = append(all, "MD", "LOG")
	return slices.DeleteFunc(all, func(code string) bool { return slices.Contains(m.Lacks, code) })
}

// Speaks are the lines in which a country's node asks and answers, the newest
// first.
func (m Member) Speaks(country string) []edm.Line {
	lines := m.Lines
	if len(lines) == 0 {
		for _, c := range seed.Countries() {
			if c.Code == country {
				for _, l := range c.EDM {
					lines = append(lines, edm.Line(l))
				}
			}
		}
	}
	return speaks(lines)
}

// speaks: whoever announces the newest line still understands the one before; a
// country that does not has nothing newer.
func speaks(lines []edm.Line) []edm.Line {
	if slices.Contains(lines, edm.V20) {
		return []edm.Line{edm.V20, edm.V12}
	}
	return lines
}
