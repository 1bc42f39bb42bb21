// Package as4test holds the promises of an as4.Store; every implementation runs
// them.
package as4test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

var pt = ebms.PartyID{Type: as4.OOTSPartyType, Value: "AP_PT_01"}

func message(id string, due time.Time) as4.Outgoing {
	return as4.Outgoing{MessageID: id, To: pt, Conversation: "c-1", Envelope: []byte("<e/>"), State: as4.Queued, CreatedAt: noon, Due: due,
		Parts: []as4.StoredPart{{ContentID: "p@x", Type: "application/octet-stream", Key: id + "/0"}}}
}

func nothing(context.Context) error { return nil }

// Run runs every promise on a fresh, empty store.
func Run(t *testing.T, open func(t *testing.T) as4.Store) {
	for name, promise := range map[string]func(t *testing.T, s as4.Store){
		"a message is kept once":                  keptOnce,
		"due messages are leased in their order":  leased,
		"a lease ends":                            leaseEnds,
		"no message is leased twice at once":      leasedOnce,
		"tries and ends are kept":                 settled,
		"a failed tell settles nothing":           tellFails,
		"a message is received once":              receivedOnce,
		"a failed delivery keeps nothing":         deliveryFails,
		"two copies at once are delivered once":   copies,
		"what is submitted in a delivery is kept": submitted,
		"keys are those of the queue":             keysOfTheQueue,
		"old messages are forgotten":              forgotten,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keptOnce(t *testing.T, s as4.Store) {
	want := message("m1@x", noon)
	must(t, s.Enqueue(t.Context(), want))
	if err := s.Enqueue(t.Context(), want); !errors.Is(err, as4.ErrKnown) {
		t.Errorf("the same id again gives %v, want ErrKnown", err)
	}
	got, tries, err := s.Sent(t.Context(), "m1@x")
	must(t, err)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || len(tries) != 0 {
		t.Errorf("kept as (-want +got):\n%s", diff)
	}
	if _, _, err := s.Sent(t.Context(), "m2@x"); !errors.Is(err, as4.ErrUnknown) {
		t.Errorf("an unknown message gives %v, want ErrUnknown", err)
	}
}

func leased(t *testing.T, s as4.Store) {
	for i, minutes := range []int{3, 1, 2, 9} {
		must(t, s.Enqueue(t.Context(), message(fmt.Sprintf("m%d@x", i), noon.Add(time.Duration(minutes)*time.Minute))))
	}
	var ids []string
	for range 5 {
		due, err := s.Lease(t.Context(), noon.Add(5*time.Minute), noon.Add(time.Hour), 1)
		must(t, err)
		for _, m := range due {
			ids = append(ids, m.MessageID)
		}
	}
	if diff := cmp.Diff([]string{"m1@x", "m2@x", "m0@x"}, ids); diff != "" {
		t.Errorf("leased (-want +got):\n%s", diff)
	}
}

func leaseEnds(t *testing.T, s as4.Store) {
	must(t, s.Enqueue(t.Context(), message("m1@x", noon)))
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {time.Minute, 0}, {11 * time.Minute, 1}} {
		due, err := s.Lease(t.Context(), noon.Add(c.after), noon.Add(c.after+10*time.Minute), 10)
		must(t, err)
		if len(due) != c.want {
			t.Errorf("%s after the first lease: %d messages, want %d", c.after, len(due), c.want)
		}
	}
}

func leasedOnce(t *testing.T, s as4.Store) {
	const n = 40
	for i := range n {
		must(t, s.Enqueue(t.Context(), message(fmt.Sprintf("m%d@x", i), noon)))
	}
	var seen sync.Map
	var total atomic.Int32
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for {
				due, err := s.Lease(context.Background(), noon, noon.Add(time.Hour), 3)
				if err != nil {
					t.Error(err)
					return
				}
				if len(due) == 0 {
					return
				}
				for _, m := range due {
					if _, twice := seen.LoadOrStore(m.MessageID, true); twice {
						t.Errorf("%s is leased twice", m.MessageID)
					}
					total.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if total.Load() != n {
		t.Errorf("%d messages leased, want %d", total.Load(), n)
	}
}

func settled(t *testing.T, s as4.Store) {
	must(t, s.Enqueue(t.Context(), message("m1@x", noon)))
	m := message("m1@x", noon.Add(3*time.Minute))
	m.Tries = 1
	first := as4.Try{At: noon, Status: 502, Code: ebms.MissingReceipt, Detail: "no signal"}
	must(t, s.Settle(t.Context(), m, first, nothing))
	m.Tries, m.State, m.Receipt = 2, as4.Acknowledged, []byte("<r/>")
	second := as4.Try{At: noon.Add(3 * time.Minute), Status: 200}
	told := 0
	must(t, s.Settle(t.Context(), m, second, func(context.Context) error { told++; return nil }))
	got, tries, err := s.Sent(t.Context(), "m1@x")
	must(t, err)
	if got.State != as4.Acknowledged || string(got.Receipt) != "<r/>" || told != 1 {
		t.Errorf("settled as %+v, told %d times", got, told)
	}
	if diff := cmp.Diff([]as4.Try{first, second}, tries); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
	if due, err := s.Lease(t.Context(), noon.Add(time.Hour), noon.Add(2*time.Hour), 1); err != nil || len(due) != 0 {
		t.Errorf("a settled message is leased: %v, %v", due, err)
	}
}

func tellFails(t *testing.T, s as4.Store) {
	must(t, s.Enqueue(t.Context(), message("m1@x", noon)))
	m := message("m1@x", noon)
	m.Tries, m.State = 1, as4.Acknowledged
	if err := s.Settle(t.Context(), m, as4.Try{At: noon}, func(context.Context) error { return errors.New("not now") }); err == nil {
		t.Error("the failure is swallowed")
	}
	if got, tries, err := s.Sent(t.Context(), "m1@x"); err != nil || got.State != as4.Queued || len(tries) != 0 {
		t.Errorf("the message stands as %s after %v, %v", got.State, tries, err)
	}
}

func received(id string) as4.Received {
	return as4.Received{From: pt, MessageID: id, At: noon, Envelope: []byte("<e/>"), Receipt: []byte("<r " + id + "/>")}
}

func receivedOnce(t *testing.T, s as4.Store) {
	times := 0
	deliver := func(context.Context) error { times++; return nil }
	receipt, duplicate, err := s.Receive(t.Context(), received("m1@x"), deliver)
	must(t, err)
	if duplicate || string(receipt) != "<r m1@x/>" {
		t.Errorf("a new message gives %q, duplicate %v", receipt, duplicate)
	}
	again := received("m1@x")
	again.Receipt = []byte("<another/>")
	receipt, duplicate, err = s.Receive(t.Context(), again, deliver)
	must(t, err)
	if !duplicate || string(receipt) != "<r m1@x/>" || times != 1 {
		t.Errorf("a duplicate gives %q, duplicate %v, delivered %d times", receipt, duplicate, times)
	}
	other := received("m1@x")
	other.From.Value = "AP_SE_01"
	if _, duplicate, err := s.Receive(t.Context(), other, deliver); err != nil || duplicate {
		t.Errorf("the same id of another sender is a duplicate: %v", err)
	}
	in, err := s.Inbound(t.Context(), pt, "m1@x")
	must(t, err)
	if diff := cmp.Diff(received("m1@x"), in); diff != "" {
		t.Errorf("kept as (-want +got):\n%s", diff)
	}
	if r, err := s.Receipt(t.Context(), pt, "m9@x"); err != nil || r != nil {
		t.Errorf("an unknown message has the receipt %q, %v", r, err)
	}
}

func deliveryFails(t *testing.T, s as4.Store) {
	if _, _, err := s.Receive(t.Context(), received("m1@x"), func(context.Context) error { return errors.New("full") }); err == nil {
		t.Error("the failure is swallowed")
	}
	if r, err := s.Receipt(t.Context(), pt, "m1@x"); err != nil || r != nil {
		t.Errorf("a message that was not delivered has the receipt %q, %v", r, err)
	}
	if _, duplicate, err := s.Receive(t.Context(), received("m1@x"), nothing); err != nil || duplicate {
		t.Errorf("its repetition is a duplicate (%v), %v", duplicate, err)
	}
}

func copies(t *testing.T, s as4.Store) {
	var times, duplicates atomic.Int32
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			_, duplicate, err := s.Receive(context.Background(), received("m1@x"), func(context.Context) error { times.Add(1); return nil })
			if err != nil {
				t.Error(err)
			}
			if duplicate {
				duplicates.Add(1)
			}
		})
	}
	senders.Wait()
	if times.Load() != 1 || duplicates.Load() != 7 {
		t.Errorf("delivered %d times, %d duplicates; want 1 and 7", times.Load(), duplicates.Load())
	}
}

func submitted(t *testing.T, s as4.Store) {
	_, _, err := s.Receive(t.Context(), received("m1@x"), func(ctx context.Context) error {
		return s.Enqueue(ctx, message("answer@x", noon))
	})
	must(t, err)
	if _, _, err := s.Sent(t.Context(), "answer@x"); err != nil {
		t.Errorf("the answer is gone: %v", err)
	}
}

func keysOfTheQueue(t *testing.T, s as4.Store) {
	for _, id := range []string{"queued@x", "done@x"} {
		must(t, s.Enqueue(t.Context(), message(id, noon)))
	}
	m := message("done@x", noon)
	m.State, m.Tries = as4.Acknowledged, 1
	must(t, s.Settle(t.Context(), m, as4.Try{At: noon, Status: 200}, nothing))
	keys, err := s.Keys(t.Context())
	must(t, err)
	if diff := cmp.Diff([]string{"queued@x/0"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func forgotten(t *testing.T, s as4.Store) {
	for _, id := range []string{"queued@x", "done@x"} {
		must(t, s.Enqueue(t.Context(), message(id, noon)))
	}
	m := message("done@x", noon)
	m.State, m.Tries = as4.Acknowledged, 1
	must(t, s.Settle(t.Context(), m, as4.Try{At: noon, Status: 200}, nothing))
	_, _, err := s.Receive(t.Context(), received("m1@x"), nothing)
	must(t, err)
	must(t, s.Forget(t.Context(), noon.Add(time.Second)))
	if _, _, err := s.Sent(t.Context(), "done@x"); !errors.Is(err, as4.ErrUnknown) {
		t.Errorf("a settled message is still there: %v", err)
	}
	if _, _, err := s.Sent(t.Context(), "queued@x"); err != nil {
		t.Errorf("a queued message is forgotten: %v", err)
	}
	if r, err := s.Receipt(t.Context(), pt, "m1@x"); err != nil || r != nil {
		t.Errorf("an old receipt is still there: %q, %v", r, err)
	}
}
