package peer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
)

// Bench is what a network must be equipped with so that peer tests can be played
// over it: a clock that can be moved, a tape of what crosses, and a hand between
// a node and its wires for what no honest node would send. Its zero value is
// ready.
type Bench struct {
	Clock network.Clock

	mu    sync.Mutex
	tapes map[string]*tape // by conversation, of tests that are under way
}

// tape is what crossed in one conversation.
type tape struct {
	crossed []network.Crossing
	more    chan struct{} // closed when something crosses
}

// mostCrossings bounds a tape.
const mostCrossings = 40

// Equip puts the bench into the plan of a network.
func (b *Bench) Equip(p *network.Plan) {
	p.Now, p.Record = b.Clock.Now, b.record
	p.Members = maps.Clone(p.Members)
	if p.Members == nil {
		p.Members = map[string]network.Member{}
	}
	for _, c := range seed.Countries() {
		m := p.Members[c.Code]
		m.Outgoing = func(ap exchange.AccessPoint) exchange.AccessPoint { return hand{ap} }
		m.Lookups = func(wire http.RoundTripper) http.RoundTripper { return tampered{wire} }
		p.Members[c.Code] = m
	}
}

// record is for network.Plan; only conversations of tests are kept.
func (b *Bench) record(c network.Crossing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tapes[c.Header.ConversationID]
	if t == nil || len(t.crossed) >= mostCrossings {
		return
	}
	t.crossed = append(t.crossed, c)
	close(t.more)
	t.more = make(chan struct{})
}

func (b *Bench) open(conversation string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tapes == nil {
		b.tapes = map[string]*tape{}
	}
	b.tapes[conversation] = &tape{more: make(chan struct{})}
}

// take gives the messages of a conversation in the order in which they came, and
// forgets them.
func (b *Bench) take(conversation string) []network.Crossing {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tapes[conversation]
	delete(b.tapes, conversation)
	if t == nil {
		return nil
	}
	return t.crossed
}

// crossed waits until n messages of a conversation came, and gives those that
// did.
func (b *Bench) crossed(ctx context.Context, conversation string, n int) ([]network.Crossing, error) {
	for {
		b.mu.Lock()
		t := b.tapes[conversation]
		all, more := t.crossed[:len(t.crossed):len(t.crossed)], t.more
		b.mu.Unlock()
		if len(all) >= n {
			return all, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return all, fmt.Errorf("%d messages of %d came: %w", len(all), n, ctx.Err())
		}
	}
}

// spoiling is the key of a function that changes the first part of every message
// submitted under a context.
type spoiling struct{}

// spoil lets the asking node send what change makes of its requests.
func spoil(ctx context.Context, change func([]byte) []byte) context.Context {
	return context.WithValue(ctx, spoiling{}, change)
}

// hand stands between a node and its access point.
type hand struct{ exchange.AccessPoint }

func (h hand) Submit(ctx context.Context, m *ebms.UserMessage, parts []as4.Part) (string, error) {
	if change, ok := ctx.Value(spoiling{}).(func([]byte) []byte); ok && len(parts) > 0 {
		body, err := ebms.ReadAll(parts[0].Content)
		if err != nil {
			return "", err
		}
		parts = append([]as4.Part(nil), parts...)
		parts[0].Content = ebms.Bytes(change(body))
	}
	return h.AccessPoint.Submit(ctx, m, parts)
}

// tampering is the key that makes answers of the Common Services arrive changed.
type tampering struct{}

func tamper(ctx context.Context) context.Context { return context.WithValue(ctx, tampering{}, true) }

// tampered stands between a node and the Common Services.
type tampered struct{ wire http.RoundTripper }

func (t tampered) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Context().Value(tampering{}) == nil {
		return t.wire.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Header.Del("If-None-Match") // a whole answer, not the word that nothing is new
	answer, err := t.wire.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	changed := bytes.Replace(body, []byte("Demo"), []byte("Dome"), 1)
	if bytes.Equal(changed, body) {
		changed = append(changed, ' ')
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(changed)), int64(len(changed))
	answer.Header.Del("Content-Length")
	return answer, nil
}
