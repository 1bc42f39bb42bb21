package watch

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// Ledger is where facts come from and go; *ledger.Ledger is one.
type Ledger interface {
	Append(ctx context.Context, facts ...ledger.Fact) (ledger.Receipt, error)
	Facts(ctx context.Context, f ledger.Filter) iter.Seq2[ledger.Entry, error]
}

// Config of a Watcher. Ledger and Environments are required.
type Config struct {
	Ledger       Ledger
	Environments []Environment
	// Countries that are watched; none means every country that has said something
	// about itself. Observing a country that has not would put it on the board.
	Countries []string
	Every     time.Duration // between two looks at a country; 0 means a day
	// Seed spreads the looks over the time, so that directories are not asked
	// about everybody at once.
	Seed string
	// Private lets links lead to private addresses and to this machine.
	Private bool
	Links   *tls.Config // for links; nil means the system's roots
	Sample  bool        // marks the facts as sample data
	Now     func() time.Time
	Log     *slog.Logger // optional; discards
}

// Watcher looks at countries now and then. Several processes may watch for one
// ledger: who looks a second time finds nothing to tell.
type Watcher struct {
	c     Config
	links *linkClient
	look  func(ctx context.Context, code ledger.Environment, country string) ([]ledger.Fact, error)
}

// New checks the configuration.
func New(c Config) (*Watcher, error) {
	if c.Ledger == nil || len(c.Environments) == 0 {
		return nil, errors.New("watch: a ledger and an environment are required")
	}
	for i := range c.Environments {
		e := &c.Environments[i]
		if _, err := e.client("", e.Transport); err != nil {
			return nil, err
		}
		if !slices.Contains(ledger.Environments, e.Code) {
			return nil, fmt.Errorf("watch: there is no environment %q", e.Code)
		}
	}
	if c.Every == 0 {
		c.Every = 24 * time.Hour
	}
	if c.Every < time.Minute {
		return nil, fmt.Errorf("watch: %s between two looks is too short; a minute is the least", c.Every)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for i := range c.Environments {
		if c.Environments[i].Now == nil {
			c.Environments[i].Now = c.Now
		}
	}
	w := &Watcher{c: c, links: newLinkClient(c.Private, c.Links)}
	w.look = w.Look
	return w, nil
}

// Look looks at a country in an environment now and tells the ledger what is
// new today. It returns everything that was seen, as facts; those whose finding
// the ledger has of the same day are the ledger's own.
func (w *Watcher) Look(ctx context.Context, code ledger.Environment, country string) ([]ledger.Fact, error) {
	i := slices.IndexFunc(w.c.Environments, func(e Environment) bool { return e.Code == code })
	if i < 0 {
		return nil, fmt.Errorf("watch: the environment %s is not watched", code)
	}
	e := &w.c.Environments[i]
	before, links, err := w.known(ctx, code, country)
	if err != nil {
		return nil, err
	}
	at := w.c.Now().UTC().Truncate(time.Millisecond)
	var seen []ledger.Fact
	for _, p := range w.probes(e, country, links) {
		f, err := p.result(ctx, code, p.about)
		if f == nil {
			return nil, err
		}
		if err != nil {
			w.c.Log.Warn("a probe failed", "environment", string(code), "country", country, "item", p.item, "why", why(err))
		}
		seen = append(seen, *f)
	}
	within, stop := context.WithTimeout(ctx, lookTime)
	published, err := e.Observe(within, country)
	stop()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		w.c.Log.Warn("the directories cannot be read", "environment", string(code), "country", country, "why", why(err))
	}
	seen = append(seen, revisions(published, before)...)
	return w.tell(ctx, seen, before, at)
}

// lookTime bounds the reading of one country's directories.
const lookTime = 5 * time.Minute

// aimed is a probe with what it is about.
type aimed struct {
	probe
	about ledger.Subject
}

// probes of a country: its end points, and the links of its open services.
func (w *Watcher) probes(e *Environment, country string, links []ledger.Fact) (all []aimed) {
	for _, p := range e.probes(country) {
		all = append(all, aimed{p, ledger.Subject{Country: country}})
	}
	for _, f := range links {
		about := ledger.Subject{Country: country, Role: f.Subject.Role, Authority: f.Subject.Authority}
		for item, link := range map[string]string{linkItem: f.Body.Link, supportItem: f.Body.SupportLink} {
			if link != "" {
				all = append(all, aimed{probe{item, link, func(ctx context.Context) error { return w.links.opens(ctx, link) }}, about})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b aimed) int {
		return strings.Compare(key(a.item, a.target, a.about), key(b.item, b.target, b.about))
	})
	return all
}

// key tells findings about the same thing.
func key(item, target string, s ledger.Subject) string {
	return strings.Join([]string{item, string(s.Role), s.Authority, target}, "\n")
}

func keyOf(f *ledger.Fact) string {
	return string(f.Kind) + "\n" + key(f.Body.Item, f.Body.Target, f.Subject)
}

// remembered is how long an earlier state of the directories counts for a
// revision: as long as a conformance test.
const remembered = 365 * 24 * time.Hour

// known reads what the ledger has about a country in an environment: our own
// earlier findings, oldest first, and the connections that are open now.
func (w *Watcher) known(ctx context.Context, code ledger.Environment, country string) (before, links []ledger.Fact, err error) {
	since := w.c.Now().Add(-remembered)
	for _, k := range []ledger.Kind{ledger.Probe, ledger.DirectoryObservation} {
		for entry, err := range w.c.Ledger.Facts(ctx, ledger.Filter{Country: country, Kind: k, Since: since}) {
			if err != nil {
				return nil, nil, err
			}
			if f := entry.Fact; f.Environment == code && f.Asserter == platform && f.HappenedAt.After(since) {
				before = append(before, f)
			}
		}
	}
	newest := map[string]ledger.Fact{} // by authority and role
	var order []string
	for entry, err := range w.c.Ledger.Facts(ctx, ledger.Filter{Country: country, Kind: ledger.AuthorityConnection}) {
		if err != nil {
			return nil, nil, err
		}
		f := entry.Fact
		if f.Environment != code {
			continue
		}
		at := key("", "", f.Subject)
		if old, ok := newest[at]; !ok {
			order = append(order, at)
		} else if f.From().Before(old.From()) {
			continue
		}
		newest[at] = f
	}
	for _, at := range order {
		if newest[at].Body.State == open {
			links = append(links, newest[at])
		}
	}
	return before, links, nil
}

const (
	open     = "open"
	platform = "platform"
)

// tell gives facts their ids and appends what is new. A fact of a day is told
// once; when the finding changes within the day, the change is told too, under
// the next number of the day.
func (w *Watcher) tell(ctx context.Context, seen, before []ledger.Fact, at time.Time) ([]ledger.Fact, error) {
	day := at.Format("20060102")
	var fresh []ledger.Fact
	for i := range seen {
		f := &seen[i]
		number, last := 0, (*ledger.Fact)(nil)
		for j := range before {
			if b := &before[j]; keyOf(b) == keyOf(f) && b.HappenedAt.UTC().Format("20060102") == day {
				number++
				last = b
			}
		}
		if last != nil && sameFinding(f, last) {
			*f = *last
			continue
		}
		f.Asserter, f.Verifier, f.HappenedAt, f.Sample = platform, platform, at, w.c.Sample
		h := fnv.New64a()
		h.Write([]byte(keyOf(f)))
		f.ID = fmt.Sprintf("watch:%s:%s:%s:%016x:%s-%d", f.Environment, f.Subject.Country, f.Body.Item, h.Sum64(), day, number)
		fresh = append(fresh, *f)
	}
	if len(fresh) == 0 {
		return seen, nil
	}
	_, err := w.c.Ledger.Append(ctx, fresh...)
	return seen, err
}

// sameFinding tells whether two facts about the same thing say the same.
func sameFinding(a, b *ledger.Fact) bool {
	return a.Body.Outcome == b.Body.Outcome && a.Body.Count == b.Body.Count && a.Body.Version == b.Body.Version &&
		slices.Equal(a.Body.Procedures, b.Body.Procedures) && slices.Equal(a.Body.EvidenceTypes, b.Body.EvidenceTypes)
}

// Run looks at every country in every environment once in Every, until ctx ends.
// When that was last is read from the ledger, so that a restart neither repeats
// nor forgets a look; what is overdue at the start is done at once.
func (w *Watcher) Run(ctx context.Context) {
	tried := map[string]time.Time{} // looks of this process, which may have told nothing
	for {
		next, err := w.round(ctx, tried)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.c.Log.Error("watching failed", "error", err)
			next = w.c.Now().Add(min(w.c.Every, afterFailure))
		}
		wait := time.NewTimer(max(next.Sub(w.c.Now()), time.Second))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

// afterFailure is when a look that failed is tried again.
const afterFailure = 5 * time.Minute

// round looks at whatever is due, one after the other, and tells when something
// is due again.
func (w *Watcher) round(ctx context.Context, tried map[string]time.Time) (next time.Time, err error) {
	countries, err := w.watched(ctx)
	if err != nil {
		return next, err
	}
	next = w.c.Now().Add(w.c.Every / 4) // for countries that come new
	for i := range w.c.Environments {
		code := w.c.Environments[i].Code
		for _, cc := range countries {
			id := string(code) + "/" + cc
			last := tried[id]
			if last.IsZero() {
				if last, err = w.last(ctx, code, cc); err != nil {
					return next, err
				}
			}
			due := w.due(id, last)
			if !due.After(w.c.Now()) {
				now := w.c.Now()
				_, err := w.look(ctx, code, cc)
				switch {
				case ctx.Err() != nil:
					return next, ctx.Err()
				case err != nil: // the others are looked at all the same
					w.c.Log.Error("a look failed", "environment", string(code), "country", cc, "error", err)
					due = now.Add(min(w.c.Every, afterFailure))
				default:
					tried[id] = now
					due = w.due(id, now)
				}
			}
			if due.Before(next) {
				next = due
			}
		}
	}
	return next, nil
}

// due is when a country is looked at after its last look: at its own place in
// the period, which follows from the seed, and at once when there was none.
func (w *Watcher) due(id string, last time.Time) time.Time {
	if last.IsZero() {
		return last
	}
	h := fnv.New64a()
	h.Write([]byte(w.c.Seed + "\n" + id))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(last.Unix()/int64(w.c.Every/time.Second))))
	early := time.Duration(h.Sum64() % uint64(w.c.Every/12)) // up to a twelfth before
	return last.Add(w.c.Every - early)
}

// last is when the ledger was last told about a country in an environment.
func (w *Watcher) last(ctx context.Context, code ledger.Environment, country string) (last time.Time, err error) {
	before, _, err := w.known(ctx, code, country)
	for i := range before {
		if before[i].HappenedAt.After(last) {
			last = before[i].HappenedAt
		}
	}
	return last, err
}

// watched are the countries to look at, in protocol order.
func (w *Watcher) watched(ctx context.Context) ([]string, error) {
	if len(w.c.Countries) > 0 {
		return w.c.Countries, nil
	}
	there := map[string]bool{}
	for _, k := range []ledger.Kind{ledger.Nomination, ledger.Component, ledger.AuthorityConnection} {
		for entry, err := range w.c.Ledger.Facts(ctx, ledger.Filter{Kind: k}) {
			if err != nil {
				return nil, err
			}
			there[entry.Fact.Subject.Country] = true
		}
	}
	var all []string
	for _, cc := range ledger.Countries {
		if there[cc] {
			all = append(all, cc)
		}
	}
	return all, nil
}
