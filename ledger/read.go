package ledger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"
)

// readLines reads a facts file. Blank lines are passed over.
func readLines(ctx context.Context, r io.Reader, progress func(int)) iter.Seq2[*incoming, error] {
	return func(yield func(*incoming, error) bool) {
		in := bufio.NewReaderSize(r, MaxLine+2)
		var d decoder
		var one incoming
		for n := 1; ; n++ {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, bufio.ErrBufferFull) {
				yield(nil, &Refusal{Line: n, Reason: fmt.Sprintf("is longer than %d octets, the most of a fact", MaxLine)})
				return
			}
			if err != nil && err != io.EOF {
				yield(nil, fmt.Errorf("reading line %d: %w", n, err))
				return
			}
			last := err == io.EOF
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
			if len(bytes.TrimSpace(line)) > 0 {
				one.Line = n
				if err := d.decode(line, &one.Fact); err != nil {
					if r := refusalOf(err); r != nil {
						r.Line = n
					}
					yield(nil, err)
					return
				}
				if !yield(&one, nil) {
					return
				}
			}
			if n%1000 == 0 {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				if progress != nil {
					progress(n)
				}
			}
			if last {
				return
			}
		}
	}
}

// ReadFacts reads a facts file and checks each fact by itself. An error, a
// *Refusal with its line where the file is at fault, ends the sequence.
func ReadFacts(r io.Reader) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		for in, err := range readLines(context.Background(), r, nil) {
			if err != nil {
				yield(Fact{}, err)
				return
			}
			if r := check(&in.Fact, RuleOf(in.Fact.Kind)); r != nil {
				yield(Fact{}, r.at(&in.Fact, in.Line))
				return
			}
			if !yield(in.Fact, nil) {
				return
			}
		}
	}
}

// perPage is how many entries are read and worked on at a time.
const perPage = 512

// all yields the entries from a position on, read and decoded on all
// processors.
func (l *Ledger) all(ctx context.Context, from int64, limit int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		head, err := l.store.Head(ctx)
		if err != nil {
			yield(Entry{}, fmt.Errorf("ledger: reading facts: %w", err))
			return
		}
		end := head.Size
		if limit > 0 {
			end = min(end, from+int64(limit))
		}
		for page, err := range inOrder(ctx, from, end, l.page) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for i := range page.result {
				if !yield(Entry{page.from + int64(i), page.result[i]}, nil) {
					return
				}
			}
		}
	}
}

// page reads and decodes n entries that must be there.
func (l *Ledger) page(ctx context.Context, d *decoder, from int64, n int) ([]Fact, error) {
	leaves, err := l.store.Leaves(ctx, from, n)
	if err != nil {
		return nil, fmt.Errorf("ledger: reading entries from %d: %w", from, err)
	}
	facts := make([]Fact, 0, n)
	for leaf := range bytes.SplitSeq(leaves, []byte("\n")) {
		at := from + int64(len(facts))
		if len(facts) == n {
			return nil, &Broken{Position: at, Reason: "is followed by a line that belongs to no entry; the store was changed by hand"}
		}
		facts = facts[:len(facts)+1]
		if err := d.decode(leaf, &facts[len(facts)-1]); err != nil {
			return nil, &Broken{Position: at, Reason: "is no fact any more; verify the ledger: " + err.Error()}
		}
	}
	if len(facts) != n {
		return nil, &Broken{Position: from, Reason: fmt.Sprintf("and those after it are not whole: %d of %d are there; verify the ledger", len(facts), n)}
	}
	return facts, nil
}

type run[T any] struct {
	from   int64
	result T
}

// inOrder works on pages of entries concurrently, each with a decoder of its
// own, and yields the results in order.
func inOrder[T any](ctx context.Context, from, end int64, work func(ctx context.Context, d *decoder, from int64, n int) (T, error)) iter.Seq2[run[T], error] {
	return func(yield func(run[T], error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()

		type done struct {
			run run[T]
			err error
		}
		atOnce := runtime.GOMAXPROCS(0)
		queue := make(chan chan done, atOnce) // results in order
		wg.Go(func() {
			defer close(queue)
			slots := make(chan *decoder, atOnce)
			for range atOnce {
				slots <- new(decoder)
			}
			for at := from; at < end; at += perPage {
				n := int(min(perPage, end-at))
				one := make(chan done, 1)
				var d *decoder
				select {
				case d = <-slots:
				case <-ctx.Done():
					return
				}
				wg.Go(func() {
					defer func() { slots <- d }()
					r, err := work(ctx, d, at, n)
					one <- done{run[T]{at, r}, err}
				})
				select {
				case queue <- one:
				case <-ctx.Done():
					return
				}
			}
		})
		for one := range queue {
			d := <-one
			if !yield(d.run, d.err) || d.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(run[T]{}, err)
		}
	}
}
