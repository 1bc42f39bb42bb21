package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
)

// demo fills a fresh store with the sample history and opens the site.
type demo struct {
	Addr   string `default:"127.0.0.1:8080" help:"Address to listen on (${default})."`
	States int    `default:"8" help:"Countries of the simulated network, 2 to 30 (${default}); the board shows 30."`
	Data   string `placeholder:"DIR" help:"Keep the store in this folder, or a postgres:// address; otherwise it is thrown away at the end."`
	Once   bool   `help:"Print the board and exit."`
}

// Run serves until it is interrupted; with --once it prints the board and ends.
func (d demo) Run(w *world) error {
	if d.States < 2 || d.States > 30 {
		return fmt.Errorf("--states %d: a network needs 2 to 30 countries", d.States)
	}
	if d.Data == "" {
		dir, err := os.MkdirTemp("", "oots-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		d.Data = dir
	}
	m, err := openMeter(w, ledgerFlags{Data: d.Data}, "")
	if err != nil {
		return err
	}
	defer m.db.Close()
	if err := m.fill(w, d.Data); err != nil {
		return err
	}
	if d.Once {
		return m.print(w)
	}
	return m.serve(w, serveMeter{Addr: d.Addr, Board: string(acceleratormeter.BoardEUEEA), Sample: true}, func(address string) {
		fmt.Fprintln(w.out, address)
	})
}

// fill loads the sample history into an empty store. It touches no store that
// holds anything else.
func (m *meter) fill(w *world, data string) error {
	latest, err := m.cfg.Store.Latest(w, time.Now())
	var none *acceleratormeter.Error
	switch {
	case err == nil && latest.Sample:
		return m.Refresh(w)
	case err == nil:
		return no("the store %s holds published snapshots that are no sample data; open it with `oots serve acceleratormeter`, or give the demo another folder", data)
	case !errors.As(err, &none) || none.Code != acceleratormeter.BeforeFirst:
		return err
	}
	head, err := m.ledger.Head(w)
	if err != nil {
		return err
	}
	if head.Size > 0 {
		return no("the store %s holds %d facts already; the demo begins with an empty folder", data, head.Size)
	}
	fmt.Fprintln(w.err, "Writing twelve quarters of sample history …")
	if err := sample.Load(w, m.ledger, m.cfg, time.Now()); err != nil {
		return err
	}
	return m.Refresh(w)
}

// print writes the board as text.
func (m *meter) print(w *world) error {
	s, err := m.Displayed(w, time.Time{})
	if err != nil {
		return err
	}
	return printBoard(w, w.out, s)
}

// printBoard writes a line for each level, the highest first.
func printBoard(_ context.Context, out io.Writer, s acceleratormeter.Snapshot) error {
	levels := append([]acceleratormeter.Level{{Number: 0, Label: "Not assessed"}}, acceleratormeter.Levels()...)
	var text []byte
	text = fmt.Appendf(text, "Snapshot %d, facts up to %s, criteria set %s", s.Sequence, s.AsOf.UTC().Format(time.DateOnly), s.CriteriaSet)
	if s.Sample {
		text = append(text, ", SAMPLE DATA"...)
	}
	text = append(text, '\n')
	for i := len(levels) - 1; i >= 0; i-- {
		n, names := 0, ""
		for _, e := range s.Entries {
			if e.Level == levels[i].Number {
				n++
				names += " " + e.Member
			}
		}
		if i == 0 && n == 0 {
			continue
		}
		text = fmt.Appendf(text, "%d %-24s %2d %s\n", levels[i].Number, levels[i].Label, n, names)
	}
	_, err := out.Write(text)
	return err
}
