// Package exchangetest holds the promises of an exchange.Store; every
// implementation runs them.
package exchangetest

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

	"github.com/once-only/oots/exchange"
)

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

func row(id string, made time.Time, keys ...string) exchange.Row {
	return exchange.Row{Kind: "exchange", ID: id, State: "sent", MadeAt: made, Keys: keys, Body: []byte("sealed " + id)}
}

// Run runs every promise on a fresh, empty store.
func Run(t *testing.T, open func(t *testing.T) exchange.Store) {
	for name, promise := range map[string]func(t *testing.T, s exchange.Store){
		"a row is kept once":                 keptOnce,
		"a row is found by its keys":         found,
		"an update replaces keys":            updated,
		"a row is removed with its keys":     removed,
		"old rows are forgotten by kind":     forgotten,
		"rows are walked in order":           walked,
		"a failed transaction keeps nothing": undone,
		"changes do not get lost":            serialised,
		"tasks are leased in their order":    leased,
		"no task is leased twice at once":    leasedOnce,
		"a task is replaced and done":        replaced,
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

func ids(rows []exchange.Row) (all []string) {
	for _, r := range rows {
		all = append(all, r.ID)
	}
	return all
}

func want(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func keptOnce(t *testing.T, s exchange.Store) {
	r := row("a", noon, "k1", "k2")
	must(t, s.Create(t.Context(), r))
	if err := s.Create(t.Context(), r); !errors.Is(err, exchange.ErrKnown) {
		t.Errorf("the same id again gives %v, want ErrKnown", err)
	}
	got, err := s.Get(t.Context(), "exchange", "a")
	must(t, err)
	if diff := cmp.Diff(r, got); diff != "" {
		t.Errorf("kept as (-want +got):\n%s", diff)
	}
	if _, err := s.Get(t.Context(), "log", "a"); !errors.Is(err, exchange.ErrUnknown) {
		t.Errorf("another kind gives %v, want ErrUnknown", err)
	}
	if err := s.Update(t.Context(), row("b", noon)); !errors.Is(err, exchange.ErrUnknown) {
		t.Errorf("updating nothing gives %v, want ErrUnknown", err)
	}
}

func found(t *testing.T, s exchange.Store) {
	for i, id := range []string{"c", "a", "b"} {
		must(t, s.Create(t.Context(), row(id, noon.Add(time.Duration(i)*time.Second), "shared", "own-"+id)))
	}
	rows, err := s.Find(t.Context(), "exchange", "shared", 2)
	must(t, err)
	want(t, "by a shared key, two of three", ids(rows), []string{"c", "a"})
	rows, err = s.Find(t.Context(), "exchange", "own-b", 9)
	must(t, err)
	want(t, "by its own key", ids(rows), []string{"b"})
	rows, err = s.Find(t.Context(), "log", "shared", 9)
	must(t, err)
	want(t, "in another kind", ids(rows), nil)
}

func updated(t *testing.T, s exchange.Store) {
	must(t, s.Create(t.Context(), row("a", noon, "old", "both")))
	changed := row("a", noon.Add(time.Hour), "both", "new")
	changed.State, changed.Body = "delivered", []byte("other")
	must(t, s.Update(t.Context(), changed))
	got, err := s.Get(t.Context(), "exchange", "a")
	must(t, err)
	changed.MadeAt = noon // stays
	if diff := cmp.Diff(changed, got); diff != "" {
		t.Errorf("updated to (-want +got):\n%s", diff)
	}
	rows, err := s.Find(t.Context(), "exchange", "old", 9)
	must(t, err)
	want(t, "by a key that is gone", ids(rows), nil)
}

func removed(t *testing.T, s exchange.Store) {
	must(t, s.Create(t.Context(), row("a", noon, "k")))
	must(t, s.Remove(t.Context(), "exchange", "a"))
	must(t, s.Remove(t.Context(), "exchange", "a"))
	rows, err := s.Find(t.Context(), "exchange", "k", 9)
	must(t, err)
	want(t, "after the removal", ids(rows), nil)
}

func forgotten(t *testing.T, s exchange.Store) {
	for i := range 3 {
		must(t, s.Create(t.Context(), row(fmt.Sprint(i), noon.Add(time.Duration(i)*time.Hour), "k")))
	}
	other := row("0", noon)
	other.Kind = "log"
	must(t, s.Create(t.Context(), other))
	n, err := s.Forget(t.Context(), "exchange", noon.Add(time.Hour))
	must(t, err)
	rows, err := s.Find(t.Context(), "exchange", "k", 9)
	must(t, err)
	want(t, "what is left", ids(rows), []string{"1", "2"})
	if _, err := s.Get(t.Context(), "log", "0"); err != nil || n != 1 {
		t.Errorf("%d forgotten; of another kind: %v", n, err)
	}
}

func walked(t *testing.T, s exchange.Store) {
	must(t, s.Atomically(t.Context(), func(ctx context.Context) error {
		for i := range 450 {
			if err := s.Create(ctx, row(fmt.Sprintf("%03d", i), noon.Add(time.Duration(i/10)*time.Second))); err != nil {
				return err
			}
		}
		return nil
	}))
	var got []string
	must(t, s.Each(t.Context(), "exchange", noon.Add(time.Second), noon.Add(44*time.Second), func(r exchange.Row) error {
		got = append(got, r.ID)
		return nil
	}))
	if len(got) != 430 || got[0] != "010" || got[429] != "439" {
		t.Errorf("walked %d rows, from %s to %s", len(got), got[0], got[len(got)-1])
	}
	stop := errors.New("enough")
	if err := s.Each(t.Context(), "exchange", noon, noon.Add(time.Hour), func(exchange.Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the error of the walker is %v", err)
	}
}

func undone(t *testing.T, s exchange.Store) {
	bad := errors.New("bad")
	err := s.Atomically(t.Context(), func(ctx context.Context) error {
		must(t, s.Create(ctx, row("a", noon, "k")))
		must(t, s.Schedule(ctx, exchange.Task{ID: "t1:a", Due: noon}))
		if _, err := s.Get(ctx, "exchange", "a"); err != nil {
			t.Errorf("a transaction does not see its own row: %v", err)
		}
		return s.Atomically(ctx, func(context.Context) error { return bad }) // joins
	})
	if !errors.Is(err, bad) {
		t.Errorf("the error is %v", err)
	}
	if _, err := s.Get(t.Context(), "exchange", "a"); !errors.Is(err, exchange.ErrUnknown) {
		t.Errorf("the row of a failed transaction: %v", err)
	}
	if tasks, err := s.Lease(t.Context(), noon, noon.Add(time.Hour), 9); err != nil || len(tasks) != 0 {
		t.Errorf("tasks of a failed transaction: %v, %v", tasks, err)
	}
}

func serialised(t *testing.T, s exchange.Store) {
	r := row("a", noon)
	r.Body = []byte{0}
	must(t, s.Create(t.Context(), r))
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for range 10 {
				err := s.Atomically(context.Background(), func(ctx context.Context) error {
					r, err := s.Get(ctx, "exchange", "a")
					if err != nil {
						return err
					}
					r.Body = []byte{r.Body[0] + 1}
					return s.Update(ctx, r)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	if r, err := s.Get(t.Context(), "exchange", "a"); err != nil || r.Body[0] != 40 {
		t.Errorf("40 changes count as %d: %v", r.Body[0], err)
	}
}

func leased(t *testing.T, s exchange.Store) {
	for i, minutes := range []int{3, 1, 2, 9} {
		must(t, s.Schedule(t.Context(), exchange.Task{ID: fmt.Sprintf("t1:%d", i), Due: noon.Add(time.Duration(minutes) * time.Minute)}))
	}
	var got []string
	for range 5 {
		tasks, err := s.Lease(t.Context(), noon.Add(5*time.Minute), noon.Add(time.Hour), 1)
		must(t, err)
		for _, task := range tasks {
			got = append(got, fmt.Sprint(task.ID, " ", task.Attempt))
		}
	}
	want(t, "leased", got, []string{"t1:1 1", "t1:2 1", "t1:0 1"})
	tasks, err := s.Lease(t.Context(), noon.Add(2*time.Hour), noon.Add(3*time.Hour), 9)
	must(t, err)
	if len(tasks) != 4 {
		t.Errorf("after the leases ended %d tasks are due, want 4", len(tasks))
	}
}

func leasedOnce(t *testing.T, s exchange.Store) {
	const n = 40
	for i := range n {
		must(t, s.Schedule(t.Context(), exchange.Task{ID: fmt.Sprintf("t1:%d", i), Due: noon}))
	}
	var seen sync.Map
	var total atomic.Int32
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for {
				tasks, err := s.Lease(context.Background(), noon, noon.Add(time.Hour), 3)
				if err != nil {
					t.Error(err)
					return
				}
				if len(tasks) == 0 {
					return
				}
				for _, task := range tasks {
					if _, twice := seen.LoadOrStore(task.ID, true); twice {
						t.Errorf("%s is leased twice", task.ID)
					}
					total.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if total.Load() != n {
		t.Errorf("%d tasks leased, want %d", total.Load(), n)
	}
}

func replaced(t *testing.T, s exchange.Store) {
	must(t, s.Schedule(t.Context(), exchange.Task{ID: "t1:a", Due: noon}))
	must(t, s.Schedule(t.Context(), exchange.Task{ID: "t1:a", Due: noon.Add(time.Hour)}))
	if tasks, err := s.Lease(t.Context(), noon, noon.Add(time.Minute), 9); err != nil || len(tasks) != 0 {
		t.Errorf("the task is still due: %v, %v", tasks, err)
	}
	must(t, s.Done(t.Context(), "t1:a"))
	must(t, s.Done(t.Context(), "t1:a"))
	if tasks, err := s.Lease(t.Context(), noon.Add(2*time.Hour), noon.Add(3*time.Hour), 9); err != nil || len(tasks) != 0 {
		t.Errorf("the task is not done: %v, %v", tasks, err)
	}
}
