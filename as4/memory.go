package as4

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/once-only/oots/as4/ebms"
)

// Memory is a Store and a Files without a database: for tests, and for one-off
// commands that need no queue. It takes part in no outer transaction.
type Memory struct {
	mu       sync.Mutex
	sent     map[string]*outgoing
	received map[receivedKey]Received
	files    map[string][]byte
}

type outgoing struct {
	Outgoing
	tries []Try
}

type receivedKey struct {
	from ebms.PartyID
	id   string
}

type inMemory struct{} // the context of a transaction that holds the lock

// hold locks, unless ctx belongs to a call that holds the lock already.
func (m *Memory) hold(ctx context.Context) (release func()) {
	if ctx.Value(inMemory{}) == m {
		return func() {}
	}
	m.mu.Lock()
	if m.sent == nil {
		m.sent, m.received, m.files = map[string]*outgoing{}, map[receivedKey]Received{}, map[string][]byte{}
	}
	return m.mu.Unlock
}

func (m *Memory) Enqueue(ctx context.Context, o Outgoing) error {
	defer m.hold(ctx)()
	if m.sent[o.MessageID] != nil {
		return ErrKnown
	}
	m.sent[o.MessageID] = &outgoing{Outgoing: o}
	return nil
}

func (m *Memory) Lease(ctx context.Context, now, until time.Time, n int) ([]Outgoing, error) {
	defer m.hold(ctx)()
	var due []*outgoing
	for _, o := range m.sent {
		if o.State == Queued && !o.Due.After(now) {
			due = append(due, o)
		}
	}
	slices.SortFunc(due, func(a, b *outgoing) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.MessageID, b.MessageID))
	})
	var leased []Outgoing
	for _, o := range due[:min(n, len(due))] {
		o.Due = until
		leased = append(leased, o.Outgoing)
	}
	return leased, nil
}

func (m *Memory) Settle(ctx context.Context, o Outgoing, t Try, tell func(ctx context.Context) error) error {
	defer m.hold(ctx)()
	kept := m.sent[o.MessageID]
	if kept == nil {
		return ErrUnknown
	}
	if err := tell(context.WithValue(ctx, inMemory{}, m)); err != nil {
		return err
	}
	kept.Outgoing, kept.tries = o, append(kept.tries, t)
	return nil
}

func (m *Memory) Sent(ctx context.Context, id string) (Outgoing, []Try, error) {
	defer m.hold(ctx)()
	if o := m.sent[id]; o != nil {
		return o.Outgoing, slices.Clone(o.tries), nil
	}
	return Outgoing{}, nil, ErrUnknown
}

func (m *Memory) Keys(ctx context.Context) (keys []string, err error) {
	defer m.hold(ctx)()
	for _, o := range m.sent {
		for _, p := range o.Parts {
			if o.State == Queued {
				keys = append(keys, p.Key)
			}
		}
	}
	return keys, nil
}

func (m *Memory) Receipt(ctx context.Context, from ebms.PartyID, id string) ([]byte, error) {
	defer m.hold(ctx)()
	return m.received[receivedKey{from, id}].Receipt, nil
}

func (m *Memory) Receive(ctx context.Context, r Received, deliver func(ctx context.Context) error) ([]byte, bool, error) {
	defer m.hold(ctx)()
	k := receivedKey{r.From, r.MessageID}
	if kept, ok := m.received[k]; ok {
		return kept.Receipt, true, nil
	}
	if err := deliver(context.WithValue(ctx, inMemory{}, m)); err != nil {
		return nil, false, err
	}
	m.received[k] = r
	return r.Receipt, false, nil
}

func (m *Memory) Inbound(ctx context.Context, from ebms.PartyID, id string) (Received, error) {
	defer m.hold(ctx)()
	if r, ok := m.received[receivedKey{from, id}]; ok {
		return r, nil
	}
	return Received{}, ErrUnknown
}

func (m *Memory) Forget(ctx context.Context, before time.Time) error {
	defer m.hold(ctx)()
	for k, r := range m.received {
		if r.At.Before(before) {
			delete(m.received, k)
		}
	}
	for id, o := range m.sent {
		if o.State != Queued && o.CreatedAt.Before(before) {
			delete(m.sent, id)
		}
	}
	return nil
}

func (m *Memory) Put(ctx context.Context, key string, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	defer m.hold(ctx)()
	m.files[key] = b
	return nil
}

func (m *Memory) Open(ctx context.Context, key string) (ebms.Content, error) {
	defer m.hold(ctx)()
	b, ok := m.files[key]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return ebms.Bytes(bytes.Clone(b)), nil
}

func (m *Memory) Remove(ctx context.Context, key string) error {
	defer m.hold(ctx)()
	delete(m.files, key)
	return nil
}

// Sweep forgets by name alone: memory has no dates.
func (m *Memory) Sweep(ctx context.Context, keep []string, _ time.Time) error {
	defer m.hold(ctx)()
	for key := range m.files {
		if !slices.Contains(keep, key) {
			delete(m.files, key)
		}
	}
	return nil
}
