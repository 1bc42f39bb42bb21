package lcm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/codelist"
	cs "github.com/once-only/oots/commonservices"
)

// Config of a LifecycleManager.
type Config struct {
	Store Store // required
	// Baseline is what the environment begins with and Reset goes back to; its
	// Environment names the data set in the store. Required.
	Baseline *cs.DataSet
	// Judge applies the published rules to a submission's bytes; optional. What
	// it finds refuses the submission.
	Judge func(raw []byte) []Fault
	Lists Lists // optional; Genericode
	Scope Scope // optional; PerService
	// Ways are how changes may come; nil for every way.
	Ways []How
	Now  func() time.Time // optional; time.Now
	Log  *slog.Logger     // optional; discards
}

// LifecycleManager is one data set that Member States change (TDD 3.6.3). It is
// safe for concurrent use, and several processes may share a store.
type LifecycleManager struct {
	cfg       Config
	catalogue *cs.Catalogue
	mu        sync.Mutex // guards which data set is published
}

// New opens the data set of an environment, or begins it with the baseline.
func New(ctx context.Context, cfg Config) (*LifecycleManager, error) {
	if cfg.Store == nil || cfg.Baseline == nil || cfg.Baseline.Environment == "" {
		return nil, errors.New("lcm: Store and a Baseline with an Environment are required")
	}
	if cfg.Lists == nil {
		cfg.Lists = Genericode{}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &LifecycleManager{cfg: cfg}
	set, err := cfg.Store.Load(ctx, cfg.Baseline.Environment)
	if errors.Is(err, cs.ErrNoDataSet) {
		if set, err = cfg.Baseline, m.begin(ctx); errors.Is(err, cs.ErrConflict) { // another process was faster
			set, err = cfg.Store.Load(ctx, cfg.Baseline.Environment)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lcm: data set %s: %w", cfg.Baseline.Environment, err)
	}
	if m.catalogue, err = cs.NewCatalogue(set); err != nil {
		return nil, fmt.Errorf("lcm: data set %s: %w", cfg.Baseline.Environment, err)
	}
	return m, nil
}

// begin keeps the baseline as the first revision of every country.
func (m *LifecycleManager) begin(ctx context.Context) error {
	var revisions []Revision
	for _, cc := range m.cfg.Baseline.Countries() {
		revisions = append(revisions, m.revision(m.cfg.Baseline.Revision, cc, Author{How: ByBaseline}, nil, m.cfg.Baseline.Contributions[cc]))
	}
	return m.cfg.Store.Keep(ctx, m.cfg.Baseline, revisions)
}

// revision describes the step from one part to the next.
func (m *LifecycleManager) revision(number int, country string, by Author, old, next *cs.Contribution) Revision {
	r := Revision{Environment: m.cfg.Baseline.Environment, Number: number, Country: country, Author: by, At: m.now(), Part: next}
	for _, c := range Diff(old, next) {
		switch c.What {
		case Added:
			r.Added++
		case Removed:
			r.Removed++
		default:
			r.Changed++
		}
	}
	return r
}

func (m *LifecycleManager) now() time.Time { return m.cfg.Now().UTC().Truncate(time.Millisecond) }

// Catalogue is what a server of this data set answers from; every accepted
// change is in it when the call that made it returns.
func (m *LifecycleManager) Catalogue() *cs.Catalogue { return m.catalogue }

// DataSet is the data set in service.
func (m *LifecycleManager) DataSet() *cs.DataSet { return m.catalogue.DataSet() }

// Part is a country's part, an empty one when it has none. Do not change it.
func (m *LifecycleManager) Part(country string) *cs.Contribution {
	if c := m.DataSet().Contributions[country]; c != nil {
		return c
	}
	return &cs.Contribution{Country: country}
}

// Submit judges a SubmitObjectsRequest for a country and, when nothing is wrong
// with it, takes it into service: all or nothing. A refusal is a *Refusal and
// is kept for the audit.
func (m *LifecycleManager) Submit(ctx context.Context, by Author, country string, raw []byte) (*Revision, error) {
	judged := m.judge(raw)
	return m.change(ctx, by, country, requestID(raw), 0, func(set *cs.DataSet) (*cs.Contribution, *Refusal) {
		return m.consider(set, country, raw, judged)
	})
}

// Try is what a country's part would be after a submission, which changes
// nothing; a *Refusal when it would be refused.
func (m *LifecycleManager) Try(country string, raw []byte) (*cs.Contribution, error) {
	next, refused := m.consider(m.DataSet(), country, raw, m.judge(raw))
	if refused != nil {
		return nil, refused
	}
	return next, nil
}

func (m *LifecycleManager) judge(raw []byte) []Fault {
	if m.cfg.Judge == nil {
		return nil
	}
	return m.cfg.Judge(raw)
}

// consider reads a submission anew for each try, because assembling changes it.
func (m *LifecycleManager) consider(set *cs.DataSet, country string, raw []byte, judged []Fault) (*cs.Contribution, *Refusal) {
	s := read(raw, m.cfg.Lists)
	for _, f := range judged {
		s.faults.add(f)
	}
	next := s.assemble(set, country, m.cfg.Scope)
	if len(s.faults.Faults) > 0 {
		return nil, s.faults
	}
	return next, nil
}

// Replace takes a country's next part into service, as a clerk's screen or file
// made it from the part of the revision based. When the country's part has
// changed since, it is commonservices.ErrConflict; what does not hold together
// is a *Refusal, whose faults name kind and identifier as Object.
func (m *LifecycleManager) Replace(ctx context.Context, by Author, based int, next *cs.Contribution) (*Revision, error) {
	return m.change(ctx, by, next.Country, "", 0, func(set *cs.DataSet) (*cs.Contribution, *Refusal) {
		return next, m.Examine(next)
	}, based)
}

// Examine tells what is wrong with a country's next part; nil when nothing is.
func (m *LifecycleManager) Examine(next *cs.Contribution) *Refusal {
	r := &Refusal{}
	for _, f := range examine(m.DataSet(), next) {
		r.Foreign = r.Foreign || f.Rule == RuleCountry
		r.add(f)
	}
	if len(r.Faults) == 0 {
		return nil
	}
	return r
}

// Restore brings a country's part back to what it was at a revision.
func (m *LifecycleManager) Restore(ctx context.Context, by Author, country string, number int) (*Revision, error) {
	old, err := m.cfg.Store.At(ctx, m.cfg.Baseline.Environment, country, number)
	if err != nil {
		return nil, err
	}
	if old.Part == nil {
		old.Part = &cs.Contribution{Country: country}
	}
	by.How = ByRestore
	return m.change(ctx, by, country, "", number, func(set *cs.DataSet) (*cs.Contribution, *Refusal) {
		next := m.forward(set.Contributions[country], old.Part)
		return next, m.Examine(next)
	})
}

// forward lets a restored part keep the rule that a version never changes its
// meaning: a code list that comes back with other codes gets a later version.
func (m *LifecycleManager) forward(now, old *cs.Contribution) *cs.Contribution {
	next := clone(old)
	if now == nil {
		return next
	}
	for i := range next.CodeLists {
		l := &next.CodeLists[i]
		if c := listNamed(now, l.Name); c != nil {
			if !sameCodes(c.Codes, l.Codes) && compareVersions(l.Version, c.Version) <= 0 {
				l.Version = raise(c.Version)
			} else if sameCodes(c.Codes, l.Codes) {
				l.Version = c.Version
			}
		}
	}
	return next
}

// raise is the next version.
func raise(v string) string { return fmt.Sprintf("%d.0.0", part(strings.Split(v, "."), 0)+1) }

// change is the way of every change. based, if given, is the revision that the
// author saw.
//
// It holds no lock while the store writes: a submission over AS4 comes inside
// the transaction of its receipt, and whoever waited for both would wait for
// ever. The store's revisions order the changes; who comes second begins anew.
func (m *LifecycleManager) change(ctx context.Context, by Author, country, request string, restores int, build func(*cs.DataSet) (*cs.Contribution, *Refusal), based ...int) (*Revision, error) {
	if refused := m.admit(by, country, request); refused != nil {
		return nil, m.refuse(ctx, by, country, refused)
	}
	for try := 0; ; try++ {
		set := m.DataSet()
		if err := m.unchanged(ctx, set, country, based); err != nil {
			return nil, err
		}
		next, refused := build(set)
		if refused != nil {
			return nil, m.refuse(ctx, by, country, refused)
		}
		if err := sayable(set, next); err != nil {
			return nil, m.refuse(ctx, by, country, &Refusal{RequestID: request, Faults: []Fault{{Code: BadSubmission, Rule: RuleWhole, Text: err.Error()}}})
		}
		to := set.With(next)
		r := m.revision(to.Revision, country, by, set.Contributions[country], next)
		r.RequestID, r.Restores = request, restores
		err := m.keep(ctx, to, []Revision{r})
		if errors.Is(err, cs.ErrConflict) && try < mostTries {
			if err = m.reload(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		m.cfg.Log.Info("revision", "environment", to.Environment, "revision", to.Revision, "country", country, "how", by.How,
			"added", r.Added, "changed", r.Changed, "removed", r.Removed)
		return &r, nil
	}
}

// mostTries bounds how often a change begins anew after somebody else's.
const mostTries = 20

// keep stores a data set and serves it.
func (m *LifecycleManager) keep(ctx context.Context, to *cs.DataSet, revisions []Revision) error {
	if err := m.cfg.Store.Keep(ctx, to, revisions); err != nil {
		return fmt.Errorf("lcm: keep revision %d of %s: %w", to.Revision, to.Environment, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.DataSet().Revision >= to.Revision {
		return nil // a later one is served already
	}
	if err := m.catalogue.Publish(to); err != nil {
		return fmt.Errorf("lcm: revision %d of %s is kept and cannot be served: %w", to.Revision, to.Environment, err)
	}
	return nil
}

var countries = codelist.BuiltIn().List(codelist.Country)

// admit refuses who may not change anything here at all.
func (m *LifecycleManager) admit(by Author, country, request string) *Refusal {
	f := Fault{Code: BadSubmission, Rule: RuleCountry}
	switch {
	case !countries.Contains(country):
		f.Text = fmt.Sprintf("%.10q is no code of the list OOTS_Country (Greece is EL)", country)
	case m.cfg.Ways != nil && !slices.Contains(m.cfg.Ways, by.How):
		f.Rule, f.Text = RuleWhole, fmt.Sprintf("this environment takes no changes by %s", by.How)
	default:
		return nil
	}
	return &Refusal{RequestID: request, Faults: []Fault{f}}
}

// unchanged tells whether the author saw the country's newest part.
func (m *LifecycleManager) unchanged(ctx context.Context, set *cs.DataSet, country string, based []int) error {
	if len(based) == 0 {
		return nil
	}
	newest, err := m.cfg.Store.At(ctx, set.Environment, country, set.Revision)
	if errors.Is(err, ErrNoRevision) {
		return nil
	}
	if err == nil && newest.Number > based[0] {
		err = cs.ErrConflict
	}
	return err
}

// sayable tries whether every line can say the part, beside nothing else.
func sayable(set *cs.DataSet, next *cs.Contribution) error {
	small := &cs.DataSet{Environment: set.Environment, Label: set.Label, Revision: set.Revision, Requirements: set.Requirements, DataModels: set.DataModels,
		Contributions: map[string]*cs.Contribution{next.Country: next}}
	if eu := set.Contributions["EU"]; eu != nil && next.Country != "EU" {
		small.Contributions["EU"] = eu
	}
	_, err := cs.NewCatalogue(small)
	return err
}

// refuse keeps a refusal for the audit and gives it back.
func (m *LifecycleManager) refuse(ctx context.Context, by Author, country string, r *Refusal) error {
	a := Attempt{Environment: m.cfg.Baseline.Environment, Country: country, Author: by, At: m.now(), RequestID: r.RequestID, Foreign: r.Foreign, Faults: r.Faults[:min(20, len(r.Faults))]}
	m.cfg.Log.Warn("refused", "environment", a.Environment, "country", country, "how", by.How, "foreign", r.Foreign, "faults", len(r.Faults)+r.More, "rule", r.Faults[0].Rule)
	if err := m.cfg.Store.Refuse(ctx, a); err != nil {
		return errors.Join(r, fmt.Errorf("lcm: the refusal is not in the audit: %w", err))
	}
	return r
}

// reload serves what the store holds: what another process changed, or what is
// left when a transaction around a change did not end well.
func (m *LifecycleManager) reload(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	set, err := m.cfg.Store.Load(ctx, m.cfg.Baseline.Environment)
	if err != nil {
		return err
	}
	return m.catalogue.Publish(set)
}

// Follow takes over what other processes change, looking once in every pause,
// until ctx ends.
func (m *LifecycleManager) Follow(ctx context.Context, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := m.Refresh(ctx); err != nil && ctx.Err() == nil {
			m.cfg.Log.Error("the data set cannot be followed", "environment", m.cfg.Baseline.Environment, "err", err)
		}
	}
}

// Refresh takes over what other processes changed, once.
func (m *LifecycleManager) Refresh(ctx context.Context) error {
	newest, err := m.cfg.Store.Newest(ctx, m.cfg.Baseline.Environment)
	if err != nil || newest == m.DataSet().Revision {
		return err
	}
	return m.reload(ctx)
}

// Reset goes back to the baseline, as one change.
func (m *LifecycleManager) Reset(ctx context.Context, by Author) error {
	by.How = ByBaseline
	for try := 0; ; try++ {
		set, base := m.DataSet(), m.cfg.Baseline
		to := *base
		to.Revision = set.Revision + 1
		var revisions []Revision
		for _, cc := range union(set.Countries(), base.Countries()) {
			before, after := set.Contributions[cc], base.Contributions[cc]
			if before != after && len(Diff(before, after)) > 0 {
				revisions = append(revisions, m.revision(to.Revision, cc, by, before, after))
			}
		}
		err := m.keep(ctx, &to, revisions)
		if errors.Is(err, cs.ErrConflict) && try < mostTries {
			if err = m.reload(ctx); err == nil {
				continue
			}
		}
		return err
	}
}

// Revisions lists a country's revisions, the newest first, without parts.
func (m *LifecycleManager) Revisions(ctx context.Context, country string, before, limit int) ([]Revision, error) {
	return m.cfg.Store.Revisions(ctx, m.cfg.Baseline.Environment, country, before, limit)
}

// At is the state of a country at a revision.
func (m *LifecycleManager) At(ctx context.Context, country string, number int) (*Revision, error) {
	return m.cfg.Store.At(ctx, m.cfg.Baseline.Environment, country, number)
}

// Attempts lists what was refused to a country, the newest first.
func (m *LifecycleManager) Attempts(ctx context.Context, country string, limit int) ([]Attempt, error) {
	return m.cfg.Store.Attempts(ctx, m.cfg.Baseline.Environment, country, limit)
}

// Compare tells what leads from one revision of a country to another. A number
// before the first is the empty part.
func (m *LifecycleManager) Compare(ctx context.Context, country string, from, to int) ([]Change, error) {
	a, err := m.At(ctx, country, from)
	if errors.Is(err, ErrNoRevision) {
		a, err = &Revision{}, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := m.At(ctx, country, to)
	if err != nil {
		return nil, err
	}
	return Diff(a.Part, b.Part), nil
}
