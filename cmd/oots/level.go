package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/store"
)

type level struct {
	Country string `arg:"" optional:"" help:"Country code, as EL; all countries when left out."`
	ledgerFlags
	At       string `placeholder:"DATE" help:"By the facts recorded up to a day, a quarter (2025-Q2) or an RFC 3339 time; now when left out."`
	Criteria string `placeholder:"ID" help:"Criteria set: AM-1 (the default), AM-1-strict, AM-1-lenient."`
	Shadow   string `placeholder:"ID" help:"A second criteria set; shows the countries that would stand elsewhere."`
	Format   string `enum:"text,json" default:"text" help:"text or json."`
}

// Run computes where countries stand, what carries it and what is missing.
func (c level) Run(w *world) error {
	// What is wrong in the question is said before the store is opened.
	var at time.Time
	var err error
	if c.At != "" {
		if at, err = acceleratormeter.ParseInstant(c.At); err != nil {
			return meterAnswer(err)
		}
	}
	for _, id := range []string{c.Criteria, c.Shadow} {
		if _, err := acceleratormeter.FindCriteria(id); err != nil {
			return meterAnswer(err)
		}
	}
	if c.Country != "" {
		if _, err := acceleratormeter.FindCountry(c.Country); err != nil {
			return meterAnswer(err)
		}
	}
	db, meter, err := c.meter(w)
	if err != nil {
		return err
	}
	defer db.Close()
	if !at.IsZero() {
		if err := displayable(w, meter, at); err != nil {
			return meterAnswer(err)
		}
	} else {
		at = time.Now()
	}
	if err := meter.Refresh(w); err != nil {
		return answer(err)
	}
	if c.Shadow != "" {
		return c.shadow(w, meter, at)
	}
	if c.Country != "" {
		s, err := meter.Standing(c.Criteria, c.Country, at)
		if err != nil {
			return meterAnswer(err)
		}
		if c.Format == "json" {
			return printJSON(w.out, s)
		}
		return writeStanding(w.out, &s)
	}
	list, err := meter.Standings(c.Criteria, at)
	if err != nil {
		return meterAnswer(err)
	}
	if c.Format == "json" {
		return printJSON(w.out, list)
	}
	return writeBoard(w.out, list)
}

// displayable refuses an instant before the first snapshot, unless no snapshot
// was ever published.
func displayable(ctx context.Context, m *acceleratormeter.Meter, at time.Time) error {
	all, err := m.Snapshots(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	_, err = m.Displayed(ctx, at)
	return err
}

// meter opens the store that the flags name and the meter over it.
func (f ledgerFlags) meter(ctx context.Context) (*store.DB, *acceleratormeter.Meter, error) {
	collectOften()
	db, l, key, err := f.open(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	m, err := acceleratormeter.New(acceleratormeter.Config{
		Facts: l, Store: db.Snapshots(), Signer: key, Verify: verified(db, l, key),
	})
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return db, m, nil
}

// meterAnswer gives what the meter refuses exit code 1; a question that cannot
// be answered as it was put keeps code 2.
func meterAnswer(err error) error {
	var e *acceleratormeter.Error
	if !errors.As(err, &e) {
		return answer(err)
	}
	switch e.Code {
	case acceleratormeter.UnknownCountry, acceleratormeter.UnknownCriteria, acceleratormeter.UnknownSnapshot,
		acceleratormeter.BeforeFirst, acceleratormeter.BadDate, acceleratormeter.NobodyNamed:
		return err
	}
	return no("%s", err)
}

func writeBoard(out io.Writer, list []acceleratormeter.Standing) error {
	if len(list) > 0 {
		fmt.Fprintf(out, "Recomputed with %s, facts up to %s. In protocol order, no ranking.\n", list[0].Set, list[0].At.Format("2006-01-02 15:04 MST"))
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := range list {
		s := &list[i]
		country, _ := acceleratormeter.FindCountry(s.Country)
		fmt.Fprintf(t, "%s\t%s\t%s\trequester %d, provider %d%s\n", s.Country, country.Name, levelName(s.Level), s.Requester.Level, s.Provider.Level, marks(s))
	}
	return t.Flush()
}

func marks(s *acceleratormeter.Standing) string {
	text := ""
	if s.AtRisk {
		text += ", at risk"
	}
	if s.Sample {
		text += ", sample data"
	}
	return text
}

func levelName(n int) string {
	for _, l := range acceleratormeter.Levels() {
		if l.Number == n {
			return fmt.Sprintf("%d %s", n, l.Label)
		}
	}
	return "– not assessed"
}

func writeStanding(out io.Writer, s *acceleratormeter.Standing) error {
	country, _ := acceleratormeter.FindCountry(s.Country)
	fmt.Fprintf(out, "%s (%s): %s%s\nRecomputed with %s, facts up to %s.\n", country.Name, s.Country, levelName(s.Level), marks(s),
		s.Set, s.At.Format("2006-01-02 15:04 MST"))
	set, err := acceleratormeter.FindCriteria(s.Set)
	if err != nil {
		return err
	}
	for _, role := range []*acceleratormeter.RoleStanding{&s.Requester, &s.Provider} {
		fmt.Fprintf(out, "\nAs %s: %s\n", role.Role, levelName(role.Level))
		for _, r := range role.Results {
			if r.Level > role.Level+1 {
				continue
			}
			criterion, _ := set.Criterion(r.Criterion)
			fmt.Fprintf(out, "  %s  %-7s  %s\n", r.Criterion, r.State, criterion.Text)
			if len(r.Facts) > 0 {
				fmt.Fprintf(out, "         carried by %s\n", some(r.Facts))
			}
			switch {
			case r.State == acceleratormeter.Grace:
				fmt.Fprintf(out, "         lapsed on %s, counts until %s\n", r.LapsedAt.Format(time.DateOnly), r.GraceUntil.Format(time.DateOnly))
			case r.State == acceleratormeter.Met && !r.LapsesAt.IsZero():
				fmt.Fprintf(out, "         lapses on %s\n", r.LapsesAt.Format(time.DateOnly))
			}
			for _, n := range r.Needs {
				fmt.Fprintf(out, "         still needs: %s (%s)\n", n, n.Supplier)
			}
		}
	}
	for _, b := range s.Blockers {
		fmt.Fprintf(out, "Open blocker %s (%s), owner %q, due %s\n", b.Fact, b.Severity, b.Owner, b.Due.Format(time.DateOnly))
	}
	return nil
}

func some(ids []string) string {
	const most = 6
	if len(ids) <= most {
		return strings.Join(ids, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], " "), len(ids)-most)
}

// shadow shows how the board would look by another criteria set.
func (c level) shadow(w *world, m *acceleratormeter.Meter, at time.Time) error {
	diff, err := m.Shadow(c.Criteria, c.Shadow, at)
	if err != nil {
		return meterAnswer(err)
	}
	if c.Country != "" {
		country, _ := acceleratormeter.FindCountry(c.Country)
		kept := diff[:0]
		for _, d := range diff {
			if d.Country == country.Code {
				kept = append(kept, d)
			}
		}
		diff = kept
	}
	if c.Format == "json" {
		if diff == nil {
			diff = []acceleratormeter.Difference{}
		}
		return printJSON(w.out, diff)
	}
	if len(diff) == 0 {
		fmt.Fprintln(w.out, "No country would stand on another level.")
	}
	for _, d := range diff {
		fmt.Fprintf(w.out, "%s  %d → %d", d.Country, d.From, d.To)
		if len(d.Lost) > 0 {
			fmt.Fprintf(w.out, "  not met: %s", strings.Join(d.Lost, " "))
		}
		if len(d.Gained) > 0 {
			fmt.Fprintf(w.out, "  met: %s", strings.Join(d.Gained, " "))
		}
		fmt.Fprintln(w.out)
	}
	return nil
}
