package watch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/sdg"
)

// Items of directory_observation facts.
const (
	procedureItem    = "procedure"
	evidenceTypeItem = "evidence-type"
	dataServiceItem  = "data-service"
	revisionItem     = "revision"
)

// Bounds of one look at one country.
const (
	mostRequirements = 500
	mostTypes        = 2_000
	mostAnswers      = 400 // put to the questions about one evidence type
	mostListed       = 100 // codes and addresses in a fact
)

// Observe tells what the directories publish for a country: for a requester its
// procedures, for a provider each authority with its evidence types and data
// services. The facts have no id, time and asserter yet. A country that
// publishes nothing gives none; a directory that cannot be believed is an error.
func (e *Environment) Observe(ctx context.Context, country string) ([]ledger.Fact, error) {
	c, err := e.client(country, e.Transport)
	if err != nil {
		return nil, err
	}
	return observe(ctx, c, e.Code, country)
}

// sight collects what is seen of a country.
type sight struct {
	country     string
	d           directories
	frameworks  []sdg.ReferenceFramework
	procedures  []string
	lists       []sdg.EvidenceTypeList
	authorities map[string]*authority // by identifier
}

// authority is an evidence provider as the directory shows it.
type authority struct {
	types   []string                      // classifications that a list of the Evidence Broker leads to
	records []sdg.DataServiceEvidenceType // with its own access services alone
}

func observe(ctx context.Context, d directories, env ledger.Environment, country string) ([]ledger.Fact, error) {
	s := &sight{country: country, d: d, authorities: map[string]*authority{}}
	if err := s.broker(ctx); err != nil {
		return nil, err
	}
	for _, classification := range s.classifications() {
		if err := s.services(ctx, classification, nil); err != nil {
			return nil, err
		}
	}
	return s.facts(env), nil
}

// broker reads the country's procedures, and its lists for every requirement
// that a procedure of any country has: nobody can ask for evidence of another.
func (s *sight) broker(ctx context.Context) error {
	own, _, err := s.d.Requirements(ctx, "", s.country)
	if err != nil && !none(err) {
		return err
	}
	for _, r := range own {
		for _, f := range r.Frameworks {
			s.frameworks = append(s.frameworks, f)
			s.procedures = append(s.procedures, f.Procedures...)
		}
	}
	all, _, err := s.d.Requirements(ctx, "", "")
	if err != nil && !none(err) {
		return err
	}
	if len(all) > mostRequirements {
		return fmt.Errorf("watch: the Evidence Broker lists %d requirements; the most are %d", len(all), mostRequirements)
	}
	for _, r := range all {
		found, _, err := s.d.EvidenceTypes(ctx, r.ID, s.country)
		if none(err) {
			continue
		}
		if err != nil {
			return err
		}
		s.lists = append(s.lists, found.EvidenceTypeLists...)
	}
	return nil
}

// classifications are the evidence types of the lists, each once, in order.
func (s *sight) classifications() (all []string) {
	for _, l := range s.lists {
		for _, t := range l.EvidenceTypes {
			all = append(all, t.Classification)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), mostTypes)]
}

// services finds who issues an evidence type. Questions of the directory are
// answered with every value that they admit, so that no authority stays hidden;
// one that is answered with free text hides them.
func (s *sight) services(ctx context.Context, classification string, answers map[string]string) error {
	open := []map[string]string{answers}
	for asked := 1; len(open) > 0; asked++ {
		given := open[0]
		open = open[1:]
		found, err := s.d.DataServices(ctx, cs.DataServiceQuery{Classification: classification, Country: s.country, Answers: given})
		if none(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, r := range found.Records {
			s.record(classification, r)
		}
		if len(found.Questions) == 0 {
			continue
		}
		q := found.Questions[0]
		if _, twice := given[q.ID]; twice {
			continue // it asks what it was told
		}
		values := admitted(q)
		if asked+len(open)+len(values) > mostAnswers {
			return fmt.Errorf("watch: the directory of %s asks more than %d times for one evidence type", s.country, mostAnswers)
		}
		for _, value := range values {
			more := map[string]string{q.ID: value}
			for id, v := range given {
				more[id] = v
			}
			open = append(open, more)
		}
	}
	return nil
}

// admitted are the values that a question can be answered with.
func admitted(q cs.Question) (all []string) {
	switch q.Type {
	case cs.AskBoolean:
		return []string{"true", "false"}
	case cs.AskCode:
		for _, c := range q.Choices {
			all = append(all, c.Code)
		}
	}
	return all
}

// record notes a data service under each authority that offers it.
func (s *sight) record(classification string, r sdg.DataServiceEvidenceType) {
	services := r.AccessServices
	for _, service := range services {
		if service.Publisher == nil {
			continue
		}
		id := service.Publisher.Identifier.Value
		a := s.authorities[id]
		if a == nil {
			a = &authority{}
			s.authorities[id] = a
		}
		if !slices.Contains(a.types, classification) {
			a.types = append(a.types, classification)
		}
		if !slices.ContainsFunc(a.records, func(have sdg.DataServiceEvidenceType) bool { return have.ID == r.ID }) {
			r.AccessServices = []sdg.AccessService{service}
			a.records = append(a.records, r)
		}
	}
}

func (s *sight) facts(env ledger.Environment) (out []ledger.Fact) {
	see := func(role ledger.Role, authority, item string, b ledger.Body) {
		b.Item = item
		b.Procedures, b.EvidenceTypes = sorted(b.Procedures), sorted(b.EvidenceTypes)
		out = append(out, ledger.Fact{Kind: ledger.DirectoryObservation, Environment: env, Subject: ledger.Subject{Country: s.country, Role: role, Authority: authority}, Body: b})
	}
	if len(s.frameworks) > 0 {
		slices.SortFunc(s.frameworks, func(a, b sdg.ReferenceFramework) int { return strings.Compare(a.ID, b.ID) })
		see(ledger.Requester, "", procedureItem, ledger.Body{Count: len(s.frameworks), Procedures: s.procedures, Version: digest(s.frameworks)})
	}
	var names []string
	for id := range s.authorities {
		names = append(names, id)
	}
	slices.Sort(names)
	for _, id := range names {
		a := s.authorities[id]
		slices.SortFunc(a.records, func(x, y sdg.DataServiceEvidenceType) int { return strings.Compare(x.ID, y.ID) })
		see(ledger.Provider, id, evidenceTypeItem, ledger.Body{Count: len(a.types), EvidenceTypes: a.types})
		see(ledger.Provider, id, dataServiceItem, ledger.Body{Count: len(a.records), EvidenceTypes: a.types, Version: digest(a.records)})
	}
	return out
}

// sorted is a list without repetitions, as far as a fact holds it.
func sorted(all []string) []string {
	all = slices.Clone(all)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), mostListed)]
}

// digest tells two states of what is published apart.
func digest(published any) string {
	text, err := json.Marshal(published)
	if err != nil {
		return "" // values of the vocabulary always have a text
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// revisions adds, for each role, that what the directories publish has changed
// since an earlier look: the sign that the country keeps its metadata itself
// (TC11). before are earlier observations of the same environment.
func revisions(seen, before []ledger.Fact) []ledger.Fact {
	for _, role := range []ledger.Role{ledger.Requester, ledger.Provider} {
		changed := 0
		for i := range seen {
			f := &seen[i]
			if f.Subject.Role != role || f.Body.Version == "" {
				continue
			}
			var states []string
			for _, b := range before {
				if b.Subject.Role == role && b.Subject.Authority == f.Subject.Authority && b.Body.Item == f.Body.Item && b.Body.Version != "" && b.Body.Version != f.Body.Version {
					states = append(states, b.Body.Version)
				}
			}
			changed += len(sorted(states))
		}
		if changed > 0 {
			seen = append(seen, ledger.Fact{Kind: ledger.DirectoryObservation, Environment: seen[0].Environment,
				Subject: ledger.Subject{Country: seen[0].Subject.Country, Role: role}, Body: ledger.Body{Item: revisionItem, Count: changed}})
		}
	}
	return seen
}

// why is an error of a directory as a log may show it.
func why(err error) string {
	var e *cs.Error
	if errors.As(err, &e) {
		return cmp.Or(e.Code(), string(e.Cause))
	}
	return err.Error()
}
