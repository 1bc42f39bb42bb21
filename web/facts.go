package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/web/opendata"
)

// factPage is GET /{lang}/facts/{id}: what was claimed, by whom, who verified
// it, when, and its place in the log. It shows no more of a fact than everybody
// may read.
type factPage struct {
	ledger.Fact
	Public    opendata.PublicFact
	Body      []field
	Inclusion *ledger.Proof
	Place     int       // counted from 1
	Tree      int       // facts in the tree of the proof
	Until     time.Time // zero: until another fact ends it
	Carries   []string  // criteria of the latest snapshot that it carries
	Latest    *am.Snapshot
}

// field is a name with its values.
type field struct {
	Key    string
	Values []string
}

// Link tells that the field holds an address that may be followed.
func (f field) Link() bool { return len(f.Values) == 1 && strings.HasPrefix(f.Values[0], "https://") }

// Kept tells that the documents behind the fact stand on the test platform.
func (p *factPage) Kept() bool {
	return p.Public.Fact.Kind == ledger.Conformance || p.Public.Fact.Kind == ledger.PeerTest
}

// Opens is the message that names who may open a document of such a fact.
func (p *factPage) Opens(e ledger.Evidence) string {
	switch {
	case e.Confidentiality == "public" || e.Confidentiality == "shared":
		return "fact.open." + e.Confidentiality
	default:
		return "fact.open." + string(p.Public.Fact.Kind)
	}
}

func (s *site) fact(v *visit) (any, error) {
	id := v.value("id")
	e, err := s.Ledger.Fact(v, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, &problem{Status: http.StatusNotFound, Message: "error.fact", Args: []any{"found", cut(id, 60)},
			Choices: []link{{"/" + v.Lang.Code + "/status", v.Lang.Text("nav.status")}}}
	}
	if err != nil {
		return nil, err
	}
	public := opendata.Disclose(e)
	p := &factPage{Fact: public.Fact, Public: public, Body: fieldsOf(public.Fact.Body), Place: int(e.Position) + 1, Tree: int(v.State.size), Latest: v.State.latest()}
	if !public.Fact.From().IsZero() {
		p.Until = public.Fact.Until()
	}
	if p.Inclusion, err = s.Ledger.Proof(v, id, v.State.size); err != nil {
		return nil, err
	}
	for _, pr := range entry(p.Latest, e.Fact.Subject.Country).Proof {
		if slices.Contains(pr.Facts, id) && !slices.Contains(p.Carries, pr.Criterion) {
			p.Carries = append(p.Carries, pr.Criterion)
		}
	}
	return p, nil
}

// fieldsOf are the filled fields of a body by their names in a facts file, in
// the order of the schema.
func fieldsOf(b ledger.Body) []field {
	raw, err := json.Marshal(b)
	if err != nil {
		return nil
	}
	var out []field
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.Token() // {
	for d.More() {
		name, err := d.Token()
		var value any
		if err != nil || d.Decode(&value) != nil {
			return out
		}
		f := field{Key: fmt.Sprint(name)}
		switch x := value.(type) {
		case []any:
			for _, one := range x {
				f.Values = append(f.Values, fmt.Sprint(one))
			}
		case map[string]any:
			for k, one := range x {
				f.Values = append(f.Values, fmt.Sprintf("%s: %v", k, one))
			}
			slices.Sort(f.Values)
		default:
			f.Values = []string{fmt.Sprint(x)}
		}
		out = append(out, f)
	}
	return out
}
