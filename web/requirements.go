package web

import (
	"net/http"
	"slices"
	"strings"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/sdg"
)

// requirementsPage is GET /{lang}/requirements: what can have to be proven.
type requirementsPage struct {
	Rows []requirementRow
}

type requirementRow struct {
	requirementRef
	Procedures []string
	Proven     int // countries that prove it
	NoMatch    int
}

func (d *directory) requirements(*visit) (any, error) {
	ix := d.indexed()
	p := &requirementsPage{}
	for i := range ix.requirements {
		r := &ix.requirements[i]
		row := requirementRow{requirementRef: r.ref(), Procedures: r.procedures}
		for _, a := range r.answers {
			switch r.cell(a.Country).State {
			case "proven", "listed":
				row.Proven++
			case "nomatch":
				row.NoMatch++
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return p, nil
}

// requirementPage is GET /{lang}/requirements/{uuid}: one requirement, who asks
// for it and who proves it.
type requirementPage struct {
	found
	Repository string // its address in the Semantic Repository of this server
	Asked      []requirementAsked
	Missing    []string // countries that say nothing
}

type requirementAsked struct {
	Country    string
	Procedures []requirementProcedure
}

type requirementProcedure struct {
	Code   string
	Titles []sdg.Text
}

func (d *directory) requirement(v *visit) (any, error) {
	ix := d.indexed()
	address := cs.RequirementAddress(strings.ToLower(v.value("uuid")))
	i := slices.IndexFunc(ix.requirements, func(r indexedRequirement) bool { return r.ID == address })
	if i < 0 {
		return nil, &problem{Status: http.StatusNotFound, Message: "error.404"}
	}
	r := &ix.requirements[i]
	p := &requirementPage{found: found{requirementRef: r.ref(), Descriptions: r.Descriptions, Procedures: r.procedures, Answers: r.sorted(v.Lang)}, Repository: d.repositoryAddress(r.ID)}
	for _, cc := range v.Lang.sorted(ix.set.Countries()) {
		if list := r.frameworks[cc]; len(list) > 0 {
			a := requirementAsked{Country: cc}
			for _, f := range list {
				a.Procedures = append(a.Procedures, requirementProcedure{strings.Join(f.Procedures, " "), f.Titles})
			}
			p.Asked = append(p.Asked, a)
		}
		if cc != "EU" && r.cell(cc).State == "gap" {
			p.Missing = append(p.Missing, cc)
		}
	}
	return p, nil
}
