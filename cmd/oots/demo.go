package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/network"
	event "github.com/once-only/oots/network/demo"
	"github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/web/api"
)

// demo starts a whole network and its board, and holds a testing event on it.
type demo struct {
	Addr   string   `default:"127.0.0.1:8080" help:"Address of the board (${default}); everything else takes free ports on loopback."`
	States int      `default:"8" help:"Countries of the network, 2 to 30 (${default}); the board shows 30."`
	Data   string   `placeholder:"DIR" help:"Keep the board's store in this folder, or at a postgres:// address; otherwise it is thrown away at the end."`
	Fix    []string `placeholder:"CC" help:"After the event this country mends its fault and is tested again; may be repeated."`
	Break  []string `placeholder:"CC" help:"After the event this country gets a fault and is tested again; may be repeated."`
	Once   bool     `help:"Hold the event without the sample history, print the board and exit: 0 if every country stands where its faults put it."`
}

// Run serves until it is interrupted; with --once it ends with the event.
func (d demo) Run(w *world) (err error) {
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
	begun, err := m.mayShow(w, d.Data)
	if err != nil {
		return err
	}
	e := event.New(d.States)
	for _, change := range []struct {
		flag  string
		of    []string
		fault func(string) string
	}{{"--fix", d.Fix, func(string) string { return "" }}, {"--break", d.Break, e.Default}} {
		for _, cc := range change.of {
			if err := e.May(cc, change.fault(cc)); err != nil {
				return fmt.Errorf("%s %w", change.flag, err)
			}
		}
	}
	var n *network.Network
	var start errgroup.Group
	start.Go(func() (err error) {
		n, err = network.Start(w, e.Plan())
		return err
	})
	if !begun && !d.Once {
		start.Go(func() error { return m.fill(w, e.Plan().Countries) })
	}
	err = start.Wait()
	if n != nil {
		defer func() { err = errors.Join(err, n.Stop()) }()
	}
	if err == nil {
		err = m.Refresh(w)
	}
	if err != nil {
		return err
	}
	c, err := cases(w, "")
	if err != nil {
		return err
	}
	board, err := m.eventBoard(w, e, c)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(w)
	var working errgroup.Group
	defer func() { stop(); _ = working.Wait() }()
	working.Go(func() error { return board.Tests.Run(ctx) })
	inside := *w
	inside.Context = ctx
	p := &playing{world: &inside, board: board, event: e, network: n, work: &working}
	if d.Once {
		d.addresses(w, n, "", "")
		if err := p.hold(ctx, d.Fix, d.Break); err != nil {
			return err
		}
		return m.print(w, e, board)
	}
	lab, err := openLab(ctx, &working, m, p)
	if err != nil {
		return err
	}
	return m.serve(w, serveMeter{Addr: d.Addr, Board: string(acceleratormeter.BoardEUEEA), Sample: true, LabURL: lab.base, follow: true}, func(address string) {
		d.addresses(w, n, address, lab.base)
		if err := lab.open(address); err != nil {
			fmt.Fprintln(w.err, "oots: the test platform is not served:", err)
		}
		working.Go(func() error {
			if err := p.hold(ctx, d.Fix, d.Break); err != nil && ctx.Err() == nil {
				fmt.Fprintln(w.err, "oots: the event has stopped:", err)
			}
			return nil
		})
	})
}

// addresses writes one address a line.
func (d demo) addresses(w *world, n *network.Network, board, lab string) {
	line := func(what, address string) {
		if address != "" {
			fmt.Fprintf(w.out, "%s: %s\n", what, address)
		}
	}
	line("Board", board)
	if lab != "" {
		line("Test platform", lab+"/lab")
	}
	if n.Portal != "" {
		line("Portal", n.Portal+"/")
	}
	line("Evidence Broker", n.Pages+"/eb/")
	line("Data Service Directory", n.Pages+"/dsd/")
	for _, cc := range n.Countries {
		node := n.Node(cc)
		line("Node "+cc, node.AS4+"/as4")
		if node.Provider != nil {
			line("Preview space "+cc, node.PreviewPage+"/preview/")
		}
	}
}

// eventBoard is where the results of an event go: into the demo's store, and
// what people say over the API.
func (m *meter) eventBoard(w *world, e *event.Event, c *testbed.Catalogue) (b event.Board, err error) {
	b.Ledger, b.Meter = m.ledger, m.Meter
	if b.Events, err = m.eventService(w, projectathon.Config{SecondShare: -1}); err != nil {
		return b, err
	}
	secret, err := m.db.Secret(w, "rerun seed", store.RandomSecret)
	if err != nil {
		return b, err
	}
	if b.Tests, err = testbed.New(testbed.Config{Secret: secret, Catalogue: c, Store: m.db.Testbed(), Systems: e.Systems(c, validator.New(validator.Config{})), Facts: m.ledger}); err != nil {
		return b, err
	}
	tokens := &access.Memory{} // for this process alone
	if _, b.Token, err = access.Create(w, tokens, nil, time.Now(), "platform:demo", access.Longest, access.ImportFacts); err != nil {
		return b, err
	}
	b.API, err = api.New(api.Config{Meter: m.Meter, Ledger: m.ledger, Tokens: tokens, Trail: m.trail, BaseURL: "http://localhost", WriteRate: 100, WriteBurst: 1000})
	return b, err
}

// mayShow tells whether the store holds a demonstration already. It touches no
// store that holds anything else.
func (m *meter) mayShow(ctx context.Context, data string) (begun bool, err error) {
	latest, err := m.cfg.Store.Latest(ctx, time.Now())
	var none *acceleratormeter.Error
	switch {
	case err == nil && latest.Sample:
		return true, nil
	case err == nil:
		return false, no("the store %s holds published snapshots that are no sample data; open it with `oots serve acceleratormeter`, or give the demo another folder", data)
	case !errors.As(err, &none) || none.Code != acceleratormeter.BeforeFirst:
		return false, err
	}
	own := 0 // facts of an event that was ended before its first snapshot
	for f, err := range m.ledger.Facts(ctx, ledger.Filter{}) {
		if err != nil {
			return false, err
		}
		if !f.Fact.Sample || !strings.HasPrefix(f.Fact.ID, event.ID+"/") {
			return false, no("the store %s holds facts already; the demo begins with an empty folder", data)
		}
		own++
	}
	return own > 0, nil
}

// fill loads the sample history into an empty store, for the countries that have
// no node.
func (m *meter) fill(w *world, started []string) error {
	fmt.Fprintln(w.err, "Writing twelve quarters of sample history for the countries without a node …")
	return sample.Load(w, m.ledger, m.cfg, time.Now(), started...)
}

// print writes the board as text, and what on it is not as expected.
func (m *meter) print(w *world, e *event.Event, b event.Board) error {
	s, err := m.Displayed(w, time.Time{})
	if err != nil {
		return err
	}
	if err := printBoard(w, w.out, s); err != nil {
		return err
	}
	risks, err := b.Risks(w)
	if err != nil {
		return err
	}
	for _, line := range risks {
		fmt.Fprintln(w.out, line)
	}
	wrong, err := e.Unexpected(w, b)
	if err != nil {
		return err
	}
	for _, line := range wrong {
		fmt.Fprintln(w.err, "oots:", line)
	}
	if len(wrong) > 0 {
		return no("%d of %d countries do not stand where their state and faults put them", len(wrong), len(e.States))
	}
	return nil
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
