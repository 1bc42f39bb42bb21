package exchange

import (
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/sdg"
)

// Wish is what a portal wants for a person: the evidence that a procedure needs,
// from one country.
type Wish struct {
	Procedure string `json:"procedure"` // code of the list Procedures, "00" for system checks
	Country   string `json:"country"`   // where the evidence is
	// Requirements are addresses in the Semantic Repository; none means all that
	// the procedure has.
	Requirements []string `json:"requirements,omitempty"`
	Subject      Subject  `json:"subject"`
	// Answers are the person's answers to questions of the directory, by the
	// question's id.
	Answers map[string]string `json:"answers,omitempty"`
	// Languages are those the person reads, best first; codes in upper case.
	Languages []string `json:"languages,omitempty"`
	// Preview is false only where law dispenses with it (SDGR Art. 14(5)).
	Preview bool `json:"preview"`
	// Explicit says that the person explicitly asked for the exchange (SDGR
	// Art. 14(4)).
	Explicit bool `json:"explicit"`
	// Associated are the supplements that are welcome: Annex,
	// HumanReadableVersion, Translation; 2.0 only.
	Associated []string `json:"associated,omitempty"`
}

// Plan is what the directories say about a wish: for each requirement the
// alternatives, for each of them the evidence types that together prove it.
type Plan struct {
	Wish  Wish   `json:"wish"`
	Needs []Need `json:"needs"`
}

// Questions are all that the person must answer before a request is possible,
// each once.
func (p *Plan) Questions() (all []Question) {
	seen := map[string]bool{}
	for _, n := range p.Needs {
		for _, a := range n.Alternatives {
			for _, o := range a.Offers {
				for _, q := range o.Questions {
					if !seen[q.ID] {
						seen[q.ID] = true
						all = append(all, q)
					}
				}
			}
		}
	}
	return all
}

// Need is one requirement of the procedure.
type Need struct {
	Requirement sdg.Requirement `json:"requirement"`
	// Alternatives are evidence type lists, of which one is enough (OR).
	Alternatives []Alternative `json:"alternatives"`
	// NoMatch tells that the country says it issues nothing for this.
	NoMatch []sdg.Text `json:"noMatch,omitempty"`
	// Problem is a directory's error code where there is no alternative.
	Problem *Problem `json:"problem,omitempty"`
}

// Alternative is one evidence type list: all its types are needed (AND).
type Alternative struct {
	List   string     `json:"list"` // identifier
	Names  []sdg.Text `json:"names,omitempty"`
	Offers []Offer    `json:"offers"`
}

// Offer is one evidence type and who can deliver it.
type Offer struct {
	Type      sdg.EvidenceType `json:"type"`
	Providers []Candidate      `json:"providers,omitempty"`
	// Questions must be answered before there are providers.
	Questions []Question `json:"questions,omitempty"`
	Problem   *Problem   `json:"problem,omitempty"`
}

// Question is one of the directory's additional questions (DSD:ERR:0005).
type Question struct {
	ID string `json:"id"`
	// Type is string, boolean or codelist.
	Type string     `json:"type"`
	Text []sdg.Text `json:"text"`
	// Options are the codes of a codelist question, as far as the directory
	// gives them; ValueExpression is where the list is published.
	Options         []string `json:"options,omitempty"`
	ValueExpression string   `json:"valueExpression,omitempty"`

	Concept sdg.ClassificationConcept `json:"concept"`
}

// Candidate is a provider of an evidence type: a record of the Data Service
// Directory with one of its access services.
type Candidate struct {
	Record  sdg.DataServiceEvidenceType `json:"record"`
	Service sdg.AccessService           `json:"service"`
	// Line is the newest that both sides speak; empty with Problem set when there
	// is none.
	Line    edm.Line `json:"line,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
	// Answers are those that the directory asked for; they go into the request.
	Answers []sdg.ClassificationConcept `json:"answers,omitempty"`
}

// Choice is one evidence to ask for, out of a plan.
type Choice struct {
	Need        int `json:"need"`        // index in Plan.Needs
	Alternative int `json:"alternative"` // index in Need.Alternatives
	Offer       int `json:"offer"`       // index in Alternative.Offers
	Provider    int `json:"provider"`    // index in Offer.Providers
	// Also are further needs that the same evidence proves.
	Also []int `json:"also,omitempty"`
	// Formats are the media types wanted, best first; none means all that the
	// provider offers.
	Formats []string `json:"formats,omitempty"`
}

// First is the plainest choice: for every need the first alternative with a
// provider for each of its types.
func (p *Plan) First() (all []Choice) {
	for i, n := range p.Needs {
	next:
		for j, a := range n.Alternatives {
			var choices []Choice
			for k, o := range a.Offers {
				at := -1
				for l, c := range o.Providers {
					if c.Line != "" {
						at = l
						break
					}
				}
				if at < 0 {
					continue next
				}
				choices = append(choices, Choice{Need: i, Alternative: j, Offer: k, Provider: at})
			}
			all = append(all, choices...)
			break
		}
	}
	return all
}

// pick follows a choice into the plan.
func (p *Plan) pick(c Choice) (*Candidate, []*Need, error) {
	within := func(i, n int) bool { return i >= 0 && i < n }
	bad := func(what string) error {
		return &Error{Reason: BadWish, Detail: "the plan has no such " + what}
	}
	if !within(c.Need, len(p.Needs)) {
		return nil, nil, bad("requirement")
	}
	need := &p.Needs[c.Need]
	if !within(c.Alternative, len(need.Alternatives)) {
		return nil, nil, bad("alternative")
	}
	offers := need.Alternatives[c.Alternative].Offers
	if !within(c.Offer, len(offers)) {
		return nil, nil, bad("evidence type")
	}
	if !within(c.Provider, len(offers[c.Offer].Providers)) {
		return nil, nil, bad("provider")
	}
	needs := []*Need{need}
	for _, i := range c.Also {
		if !within(i, len(p.Needs)) || i == c.Need || !p.Needs[i].provenBy(offers[c.Offer].Type.Classification) {
			return nil, nil, bad("further requirement that this evidence proves")
		}
		needs = append(needs, &p.Needs[i])
	}
	return &offers[c.Offer].Providers[c.Provider], needs, nil
}

// provenBy tells whether an evidence type is an alternative for a need, alone.
func (n *Need) provenBy(classification string) bool {
	for _, a := range n.Alternatives {
		if len(a.Offers) == 1 && a.Offers[0].Type.Classification == classification {
			return true
		}
	}
	return false
}
