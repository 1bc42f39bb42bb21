package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/validator"
)

// Config of a node. Country, Party, Domain, Key, Store and Files are required.
type Config struct {
	Country string       // of this node; EL, never GR
	Party   ebms.PartyID // of its access point
	Domain  string       // ends message and content ids
	// Key seals what is personal; KeySize random octets, kept apart from the store.
	Key   []byte
	Store Store
	Files as4.Files // sealed evidence between arrival and collection

	Requester *RequesterConfig // nil: requests nothing
	Provider  *ProviderConfig  // nil: provides nothing

	Judge   *validator.Validator // optional; one with the built-in lists
	Lease   time.Duration        // a worker's time for one task; 0 means 2 minutes
	Workers int                  // tasks worked off at once; 0 means 32
	Now     func() time.Time     // optional; time.Now
	NewID   func() string        // optional; random UUIDs
	Logger  *slog.Logger         // optional; discards
}

// Node is an Evidence Requester, an Evidence Provider, or both, behind one
// access point, whose as4.Handler and as4.Producer it is.
type Node struct {
	Requester *Requester // nil when the configuration has none
	Provider  *Provider  // nil when the configuration has none
	Log       *Log
	*core
}

// core is what both sides share.
type core struct {
	Config
	cellar
	log    *Log
	access AccessPoint
	wake   chan struct{}
	// work maps the kind of a task to what does it.
	work map[string]func(ctx context.Context, ref string) error
}

// New checks the configuration. Connect gives the node its access point.
func New(c Config) (*Node, error) {
	if c.Country == "" || c.Party.Value == "" || c.Domain == "" || c.Store == nil || c.Files == nil {
		return nil, errors.New("exchange: Country, Party, Domain, Store and Files are required")
	}
	if c.Requester == nil && c.Provider == nil {
		return nil, errors.New("exchange: a node requests, provides, or both")
	}
	v, err := newVault(c.Key)
	if err != nil {
		return nil, err
	}
	if c.Judge == nil {
		c.Judge = validator.New(validator.Config{})
	}
	if c.Lease == 0 {
		c.Lease = 2 * time.Minute
	}
	if c.Workers == 0 {
		c.Workers = 32
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = as4.NewUUID
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	k := &core{Config: c, cellar: cellar{v, c.Files}, wake: make(chan struct{}, 1)}
	k.work = map[string]func(context.Context, string) error{}
	k.log = &Log{core: k}
	k.work["purge"] = k.log.purge
	n := &Node{core: k, Log: k.log}
	if c.Requester != nil {
		if n.Requester, err = newRequester(k, *c.Requester); err != nil {
			return nil, err
		}
	}
	if c.Provider != nil {
		if n.Provider, err = newProvider(k, *c.Provider); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Connect gives the node the access point that it stands behind; call it before
// anything else.
func (n *Node) Connect(ap AccessPoint) { n.access = ap }

// Deliver takes a message from the access point (as4.Handler).
func (n *Node) Deliver(ctx context.Context, m *as4.Message) error {
	side := n.takeRequest
	if m.Header.Action != as4.ActionRequest {
		side = n.takeAnswer
	}
	if err := n.Store.Atomically(ctx, func(ctx context.Context) error { return side(ctx, m) }); err != nil {
		n.Logger.Error("message not taken", "message", m.Header.MessageID, "party", m.Partner.ID.Value, "error", err)
		return err
	}
	n.Wake()
	return nil
}

func (n *Node) takeRequest(ctx context.Context, m *as4.Message) error {
	if n.Provider == nil {
		return n.log.dropped(ctx, providerSide, m, "this node provides nothing")
	}
	return n.Provider.take(ctx, m)
}

func (n *Node) takeAnswer(ctx context.Context, m *as4.Message) error {
	if n.Requester == nil {
		return n.log.dropped(ctx, requesterSide, m, "this node requests nothing")
	}
	return n.Requester.take(ctx, m)
}

// Settled hears what became of a message (as4.Producer).
func (n *Node) Settled(ctx context.Context, o as4.Outgoing) error {
	if o.State == as4.Acknowledged {
		return nil
	}
	if n.Requester != nil {
		known, err := n.Requester.undelivered(ctx, o)
		if known || err != nil {
			return err
		}
	}
	return n.log.write(ctx, Entry{Side: providerSide, Event: Undelivered, Message: o.MessageID, Conversation: o.Conversation,
		Partner: o.To, Outcome: string(o.Code), Detail: o.Detail})
}

// Wake lets Run look at the tasks now.
func (c *core) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run works off tasks until ctx ends: at once when woken, every quarter of a
// second besides.
func (n *Node) Run(ctx context.Context) error {
	if err := n.schedule(ctx, "purge", "", n.Now()); err != nil {
		return err
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var workers sync.WaitGroup
	defer workers.Wait()
	var busy atomic.Int32
	for ctx.Err() == nil {
		free := n.Workers - int(busy.Load())
		var tasks []Task
		if free > 0 {
			var err error
			if tasks, err = n.lease(ctx, free); err != nil && ctx.Err() == nil {
				n.Logger.Error("tasks cannot be read", "error", err)
			}
		}
		for _, t := range tasks {
			busy.Add(1)
			workers.Go(func() {
				defer func() { busy.Add(-1); n.Wake() }()
				n.do(ctx, t)
			})
		}
		if len(tasks) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-n.wake:
		}
	}
	return ctx.Err()
}

// WorkDue works off every task that is due now, one after the other, and
// returns how many there were: for tests and one-off commands.
func (n *Node) WorkDue(ctx context.Context) (done int, err error) {
	for {
		tasks, err := n.lease(ctx, 1)
		if err != nil || len(tasks) == 0 {
			return done, err
		}
		n.do(ctx, tasks[0])
		done++
	}
}

func (n *Node) lease(ctx context.Context, count int) ([]Task, error) {
	now := n.Now()
	return n.Store.Lease(ctx, now, now.Add(n.Lease), count)
}

// postponed is the error of a task that is to be done later.
type postponed struct{ until time.Time }

func (p *postponed) Error() string { return "postponed until " + p.until.Format(time.RFC3339) }

// do works off one task. A failure is tried again, later each time.
func (n *Node) do(ctx context.Context, t Task) {
	kind, ref, _ := strings.Cut(t.ID, ":")
	f := n.work[kind]
	if f == nil {
		n.Logger.Error("task of an unknown kind", "task", kind)
		_ = n.Store.Done(ctx, t.ID)
		return
	}
	err := f(ctx, ref)
	var later *postponed
	switch {
	case ctx.Err() != nil: // the lease brings it back
	case err == nil:
		err = n.Store.Done(ctx, t.ID)
	case errors.As(err, &later):
		err = n.Store.Schedule(ctx, Task{ID: t.ID, Due: later.until})
	default:
		n.Logger.Error("task failed", "task", kind, "attempt", t.Attempt, "error", err)
		pause := min(time.Second<<min(t.Attempt, 8), 5*time.Minute)
		err = n.Store.Schedule(ctx, Task{ID: t.ID, Due: n.Now().Add(pause), Attempt: t.Attempt})
	}
	if err != nil && ctx.Err() == nil {
		n.Logger.Error("task not settled", "task", kind, "error", err)
	}
}

// schedule keeps a task of a kind.
func (c *core) schedule(ctx context.Context, kind, ref string, due time.Time) error {
	return c.Store.Schedule(ctx, Task{ID: kind + ":" + ref, Due: due})
}

// save seals value into a row and creates or updates it.
func (c *core) save(ctx context.Context, create bool, r Row, value any) error {
	body, err := c.sealJSON(r.Kind+"/"+r.ID, value)
	if err != nil {
		return err
	}
	r.Body = body
	if create {
		return c.Store.Create(ctx, r)
	}
	return c.Store.Update(ctx, r)
}

// load reads a row and opens it.
func (c *core) load(ctx context.Context, kind, id string, into any) error {
	r, err := c.Store.Get(ctx, kind, id)
	if err != nil {
		return err
	}
	return c.openJSON(kind+"/"+id, r.Body, into)
}

// locate finds the id of the one row of a kind with a key.
func (c *core) locate(ctx context.Context, kind, key string) (string, error) {
	rows, err := c.Store.Find(ctx, kind, key, 1)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", ErrUnknown
	}
	return rows[0].ID, nil
}

// bare is an id without "urn:uuid:".
func bare(id string) string { return strings.TrimPrefix(id, "urn:uuid:") }

// isUUID tells whether s is a bare UUID (rules R-EDM-ebMS-017, -037).
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f':
		default:
			return false
		}
	}
	return true
}

// contentID is the id of a part: 32 hexadecimal digits before the domain, for
// not every partner takes hyphens (TDD 4.5.2).
func (c *core) contentID() string {
	return strings.ToLower(strings.ReplaceAll(c.NewID(), "-", "")) + "@" + c.Domain
}

func (c *core) messageID() string { return fmt.Sprintf("%s@%s", c.NewID(), c.Domain) }
