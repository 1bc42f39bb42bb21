package exchange_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/store/storetest"
)

var errDead = errors.New("killed")

// life is what is left of a process, in calls of its store: when it is over,
// every call fails until the next boot. It may end before a transaction, in the
// middle of one, or after it was committed.
type life struct{ left atomic.Int64 }

func (l *life) step() error {
	if l.left.Add(-1) < 0 {
		return errDead
	}
	return nil
}

// mortal is a store of exchanges with a life.
type mortal struct {
	exchange.Store
	*life
}

func (m mortal) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	if err := m.step(); err != nil {
		return err
	}
	if err := m.Store.Atomically(ctx, f); err != nil {
		return err
	}
	return m.step()
}

func (m mortal) Create(ctx context.Context, r exchange.Row) error {
	if err := m.step(); err != nil {
		return err
	}
	return m.Store.Create(ctx, r)
}

func (m mortal) Update(ctx context.Context, r exchange.Row) error {
	if err := m.step(); err != nil {
		return err
	}
	return m.Store.Update(ctx, r)
}

func (m mortal) Get(ctx context.Context, kind, id string) (exchange.Row, error) {
	if err := m.step(); err != nil {
		return exchange.Row{}, err
	}
	return m.Store.Get(ctx, kind, id)
}

func (m mortal) Schedule(ctx context.Context, t exchange.Task) error {
	if err := m.step(); err != nil {
		return err
	}
	return m.Store.Schedule(ctx, t)
}

func (m mortal) Lease(ctx context.Context, now, until time.Time, n int) ([]exchange.Task, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	return m.Store.Lease(ctx, now, until, n)
}

func (m mortal) Done(ctx context.Context, id string) error {
	if err := m.step(); err != nil {
		return err
	}
	return m.Store.Done(ctx, id)
}

// mortalQueue is a store of messages that shares the life.
type mortalQueue struct {
	as4.Store
	*life
}

func (m mortalQueue) Enqueue(ctx context.Context, o as4.Outgoing) error {
	if err := m.step(); err != nil {
		return err
	}
	return m.Store.Enqueue(ctx, o)
}

func (m mortalQueue) Lease(ctx context.Context, now, until time.Time, n int) ([]as4.Outgoing, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	return m.Store.Lease(ctx, now, until, n)
}

func (m mortalQueue) Settle(ctx context.Context, o as4.Outgoing, try as4.Try, tell func(context.Context) error) error {
	if err := m.step(); err != nil {
		return err
	}
	if err := m.Store.Settle(ctx, o, try, tell); err != nil {
		return err
	}
	return m.step()
}

func (m mortalQueue) Receive(ctx context.Context, r as4.Received, deliver func(ctx context.Context) error) ([]byte, bool, error) {
	if err := m.step(); err != nil {
		return nil, false, err
	}
	receipt, known, err := m.Store.Receive(ctx, r, deliver)
	if err != nil {
		return nil, false, err
	}
	return receipt, known, m.step()
}

// A hundred times a node dies at some point of an exchange with preview and
// comes back with what it kept. No evidence leaves without a yes, none leaves
// twice, every exchange comes to an end that both logs tell.
func TestKilledAtAnyPoint(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 15
	}
	lives := map[string]*life{"PT": {}, "FI": {}, "DE": {}}
	for _, l := range lives {
		l.left.Store(1 << 40)
	}
	w := newWorld(t, options{
		store: func(cc string) (exchange.Store, as4.Store) {
			db := storetest.Open(t, t.TempDir())
			return mortal{db.Exchange(), lives[cc]}, mortalQueue{db.AS4(), lives[cc]}
		},
		files: func(string) as4.Files { return as4.Folder(t.TempDir()) },
	})
	random := rand.New(rand.NewPCG(1, 2))
	ends := map[string]int{}
	died := 0
	for range kills {
		w.crossed = nil
		victim := []string{"PT", "FI"}[random.IntN(2)]
		yes := random.IntN(3) > 0
		lives[victim].left.Store(int64(random.IntN(110)))
		id := ""
		dead := func() bool { return lives[victim].left.Load() < 0 }
		revive := func() {
			died++
			lives[victim].left.Store(1 << 40)
			w.boot(victim)
		}
		ended := func() bool {
			if id == "" {
				return false
			}
			x, err := w.states["PT"].Requester.Exchange(t.Context(), id)
			return err == nil && x.State.Ended()
		}
		for round := 0; !ended(); round++ {
			if round > 200 {
				t.Fatalf("the exchange does not end: %+v", w.see(id))
			}
			id = w.walk(t, id, yes)
			if dead() {
				revive()
			}
			w.at.add(time.Minute)
		}
		lives[victim].left.Store(1 << 40)
		// Whatever is still under way comes to rest: the last clock is T3.
		for range 4 {
			w.wait(20 * time.Minute)
		}
		ends[w.judge(t, id, yes)]++
	}
	t.Logf("%d deaths; ends: %v", died, ends)
	if died < kills/2 || ends["delivered with evidence"] < kills/4 {
		t.Errorf("%d deaths, ends %v: the test did not reach what it is for", died, ends)
	}
}

// walk does what can be done now: the portal starts, the person follows the link
// and decides, always the same. Errors are what a dead node answers.
func (w *world) walk(t *testing.T, id string, yes bool) string {
	pt, fi := w.states["PT"].Requester, w.states["FI"].Provider
	if id == "" {
		p, err := pt.Plan(t.Context(), previewWish())
		if err != nil {
			t.Fatal(err)
		}
		c := p.First()
		c[0].Formats = []string{"application/pdf"}
		conversation := as4.NewUUID()
		_, _ = pt.Request(t.Context(), conversation, p, c)
		started, err := pt.Conversation(t.Context(), conversation)
		if err != nil || len(started.Exchanges) == 0 {
			return "" // it died before anything was kept, or cannot tell: a new one
		}
		id = started.Exchanges[0].ID
	}
	for _, cc := range []string{"PT", "FI"} {
		_, _ = w.states[cc].ap.SendDue(t.Context())
		_, _ = w.states[cc].WorkDue(t.Context())
	}
	x, err := pt.Exchange(t.Context(), id)
	if err != nil || x.Preview == nil {
		return id
	}
	if x.State == exchange.PreviewRequired {
		_, _ = pt.Redirect(t.Context(), id)
		return id
	}
	session := strings.TrimPrefix(x.Preview.Location, previewBase)
	if _, err := fi.Open(t.Context(), session); err != nil {
		return id
	}
	s, visitor, err := fi.Identify(t.Context(), session, alphaComes())
	if err != nil {
		return id
	}
	d := exchange.Decision{}
	if yes {
		for _, doc := range s.Documents {
			d.Pieces = append(d.Pieces, doc.Piece)
		}
	}
	_, _ = fi.Decide(t.Context(), session, visitor, d)
	return id
}

// judge holds the end of an exchange to what must never happen.
func (w *world) judge(t *testing.T, id string, yes bool) string {
	t.Helper()
	x := w.see(id)
	carrying := map[string]bool{}
	for _, c := range w.crossed {
		if c.header.ConversationID == x.Conversation && slices.Contains(c.parts, "application/pdf") {
			carrying[c.header.MessageID] = true
		}
	}
	if len(carrying) > 1 {
		t.Errorf("the evidence left %d times", len(carrying))
	}
	if len(carrying) > 0 && !yes {
		t.Error("evidence left without a yes")
	}
	if !x.State.Ended() {
		t.Errorf("the exchange is %s", x.State)
	}
	fi, err := w.states["FI"].Log.Find(t.Context(), x.Conversation)
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, e := range fi {
		if e.Event == exchange.AnswerSent && e.Outcome == exchange.Success {
			sent++
		}
	}
	if sent > 1 || sent < len(carrying) {
		t.Errorf("the log tells of %d answers with evidence, %d crossed", sent, len(carrying))
	}
	switch {
	case len(x.Documents) > 0:
		if sent != 1 || !yes {
			t.Errorf("evidence arrived; the log tells of %d answers", sent)
		}
		if all := w.collect(id); string(all[0].Data) != string(pdf) {
			t.Error("other octets arrived")
		}
		return "delivered with evidence"
	case x.State == exchange.Delivered:
		if yes {
			t.Error("the person said yes, and nothing was delivered")
		}
		return "delivered without"
	}
	return string(x.State) + " " + x.Problem.Code
}
