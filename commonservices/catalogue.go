package commonservices

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/once-only/oots/sdg"
)

// Catalogue is the data set that a server answers from. Publish exchanges it
// under running queries: each one is answered from the old set or the new one.
type Catalogue struct{ now atomic.Pointer[catalogue] }

// NewCatalogue compiles a data set.
func NewCatalogue(d *DataSet) (*Catalogue, error) {
	c := &Catalogue{}
	return c, c.Publish(d)
}

// InconsistentError tells why a data set cannot be served.
type InconsistentError struct{ Problems []Problem }

func (e *InconsistentError) Error() string {
	return fmt.Sprintf("the data set does not hold together, %d problems; the first: %s", len(e.Problems), e.Problems[0])
}

// Publish takes a data set into service. When it does not hold together the old
// one stays; the error is an *InconsistentError or says what cannot be written.
func (c *Catalogue) Publish(d *DataSet) error {
	if p := d.Check(); len(p) > 0 {
		return &InconsistentError{p}
	}
	next := compile(d)
	if err := next.tryAll(); err != nil {
		return err
	}
	c.now.Store(next)
	return nil
}

// DataSet is the set in service.
func (c *Catalogue) DataSet() *DataSet { return c.now.Load().set }

// catalogue is a data set with everything joined that queries ask for. It never
// changes; only its memory of answers grows, within bounds.
type catalogue struct {
	set          *DataSet
	requirements []requirement // in the order of the data set
	byAddress    map[string]int
	records      map[string]map[string][]record // by classification, then country
	answers      memory
	refusals     memory
	searchable   func() []entry // the index of the Semantic Repository
}

// requirement is one with what countries contribute, in their order.
type requirement struct {
	sdg.Requirement
	frameworks []sdg.ReferenceFramework
	lists      []sdg.EvidenceTypeList
}

// record is a data service evidence type with its access services; lists are
// the code lists of its questions.
type record struct {
	sdg.DataServiceEvidenceType
	lists map[string]*CodeList
}

func compile(d *DataSet) *catalogue {
	c := &catalogue{set: d, requirements: make([]requirement, len(d.Requirements)), byAddress: make(map[string]int, len(d.Requirements)), records: map[string]map[string][]record{},
		answers: memory{most: 50_000, mostBytes: 128 << 20}, refusals: memory{most: 5_000, mostBytes: 16 << 20}}
	for i, r := range d.Requirements {
		r.Frameworks, r.EvidenceTypeLists = nil, nil
		c.requirements[i].Requirement = r
		c.byAddress[r.ID] = i
	}
	c.searchable = sync.OnceValue(c.index)
	types := map[string]sdg.EvidenceType{}
	for part := range d.each {
		for _, t := range part.EvidenceTypes {
			types[t.Classification] = t
		}
	}
	for part := range d.each {
		for _, f := range part.Frameworks {
			for _, r := range f.Requirements {
				at := &c.requirements[c.byAddress[r]]
				at.frameworks = append(at.frameworks, f.ReferenceFramework)
			}
		}
		for _, l := range part.Lists {
			joined := l.EvidenceTypeList
			joined.EvidenceTypes = nil
			for _, t := range l.Types {
				joined.EvidenceTypes = append(joined.EvidenceTypes, types[t])
			}
			for _, r := range l.Requirements {
				at := &c.requirements[c.byAddress[r]]
				at.lists = append(at.lists, joined)
			}
		}
		c.join(part)
	}
	return c
}

// join gives a country's records their access services.
func (c *catalogue) join(part *Contribution) {
	services := map[sdg.Identifier]sdg.AccessService{}
	for _, s := range part.AccessServices {
		services[s.Identifier] = s
	}
	offered := map[string][]sdg.AccessService{}
	for i := range part.Providers {
		p := &part.Providers[i]
		for _, id := range p.Records {
			for _, s := range p.AccessServices {
				service := services[s]
				service.Publisher = &p.Publisher
				offered[id] = append(offered[id], service)
			}
		}
	}
	for _, r := range part.Records {
		joined := record{DataServiceEvidenceType: r}
		if joined.AccessServices = offered[r.ID]; len(joined.AccessServices) == 0 {
			continue // nobody provides it
		}
		for _, q := range r.ProviderQuestions {
			if l, ok := c.set.CodeList(q.ValueExpression); ok {
				if joined.lists == nil {
					joined.lists = map[string]*CodeList{}
				}
				joined.lists[strings.ToLower(q.Identifier.Value)] = l
			}
		}
		of := c.records[r.Classification]
		if of == nil {
			of = map[string][]record{}
			c.records[r.Classification] = of
		}
		of[part.Country] = append(of[part.Country], joined)
	}
}

// tryAll writes every requirement and record once in each shape, so that no
// query finds something later that no answer can say.
func (c *catalogue) tryAll() error {
	for _, d := range []*dialect{&dialects[0], oldest()} {
		v := d.voice(c.set.Label)
		for i := range c.requirements {
			r := &c.requirements[i]
			if _, err := v.encodeSuccess(&answerDraft{requirements: []sdg.Requirement{v.withAll(r, "")}}); err != nil {
				return fmt.Errorf("the requirement %s cannot be said on %s: %w", r.ID, d.line, err)
			}
		}
		for address, of := range c.records {
			for _, cc := range slices.Sorted(maps.Keys(of)) {
				draft := &answerDraft{}
				for i := range of[cc] {
					draft.records = append(draft.records, v.record(of[cc][i].DataServiceEvidenceType))
				}
				if _, err := v.encodeSuccess(draft); err != nil {
					return fmt.Errorf("the data services of %s cannot be said on %s: %w", address, d.line, err)
				}
			}
		}
	}
	return nil
}

// memory keeps answers that were computed, until their number or size is
// reached; what comes after is computed each time.
type memory struct {
	most, mostBytes int64

	kept  sync.Map // key to *answer
	count atomic.Int64
	bytes atomic.Int64
}

func (m *memory) get(key string) *answer {
	if a, ok := m.kept.Load(key); ok {
		return a.(*answer)
	}
	return nil
}

func (m *memory) put(key string, a *answer) *answer {
	if m.count.Load() >= m.most || m.bytes.Load()+int64(len(a.body)) > m.mostBytes {
		return a
	}
	first, was := m.kept.LoadOrStore(key, a)
	if !was {
		m.count.Add(1)
		m.bytes.Add(int64(len(a.body)))
	}
	return first.(*answer)
}
