package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/store"
)

type snapshot struct {
	Draft   snapshotDraft   `cmd:"" help:"Compute a draft from the facts and the decisions in force."`
	Show    snapshotShow    `cmd:"" help:"The board as displayed then: a snapshot by number, id or date; or what waits."`
	Approve snapshotApprove `cmd:"" help:"The second person's yes to a draft."`
	Publish snapshotPublish `cmd:"" help:"Number, chain and sign an approved snapshot; not by who approved it."`
	Correct snapshotCorrect `cmd:"" help:"Draft a snapshot that repairs a published one; that one stays."`
}

// stepFlags name the store and who takes a step.
type stepFlags struct {
	ledgerFlags
	As string `required:"" env:"OOTS_TOKEN" placeholder:"TOKEN" help:"Token of the person who takes this step, or @FILE that holds it."`
}

// step opens the meter and finds out who holds the token.
func (f stepFlags) step(ctx context.Context, scope access.Scope) (*store.DB, *acceleratormeter.Meter, string, error) {
	text := f.As
	if file, ok := strings.CutPrefix(text, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, "", fmt.Errorf("--as: %w", err)
		}
		text = strings.TrimSpace(string(b))
	}
	db, m, err := f.meter(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	token, err := access.Who(ctx, db.Tokens(), time.Now(), text)
	var refused *access.Refusal
	switch {
	case errors.As(err, &refused):
		err = no("%s", refused.Reason)
	case err == nil && !token.May(scope):
		err = no("the token %s does not carry the scope %s; create one that does with `oots token create`", token.ID, scope)
	}
	if err != nil {
		db.Close()
		return nil, nil, "", err
	}
	return db, m, token.Owner, nil
}

type snapshotDraft struct {
	stepFlags
	At       string `placeholder:"DATE" help:"Facts recorded up to here are seen; now when left out."`
	Criteria string `placeholder:"ID" help:"Criteria set; AM-1 when left out."`
	Note     string `help:"Shown to the public."`
	Reason   string `help:"Needed for a snapshot that is not scheduled."`
}

func (c snapshotDraft) Run(w *world) error {
	return c.draft(w, acceleratormeter.DraftOrder{Set: c.Criteria, Note: c.Note, Reason: c.Reason}, c.At)
}

func (f stepFlags) draft(w *world, o acceleratormeter.DraftOrder, at string) error {
	if at != "" {
		t, err := acceleratormeter.ParseInstant(at)
		if err != nil {
			return meterAnswer(err)
		}
		o.AsOf = t
		if now := time.Now(); t.After(now) && t.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
			o.AsOf = now // today
		}
	}
	db, m, owner, err := f.step(w, access.DraftSnapshot)
	if err != nil {
		return err
	}
	defer db.Close()
	o.By = owner
	s, err := m.Draft(w, o)
	if err != nil {
		return meterAnswer(err)
	}
	fmt.Fprintf(w.err, "drafted as of %s by %s; a second person approves it with `oots snapshot approve %s`\n", s.AsOf.Format(time.DateOnly), owner, s.ID)
	writeProposals(w.err, &s)
	return printJSON(w.out, map[string]any{"id": s.ID, "state": s.State, "as_of": s.AsOf})
}

func writeProposals(out io.Writer, s *acceleratormeter.Snapshot) {
	for _, p := range s.Proposals {
		fmt.Fprintf(out, "proposal: %s is shown on %d and computed on %d (%s)", p.Member, p.Published, p.Computed, p.Why)
		if len(p.Missing) > 0 {
			fmt.Fprintf(out, "; missing %s", strings.Join(p.Missing, " "))
		}
		if !p.AnswerBy.IsZero() {
			fmt.Fprintf(out, "; the coordinator has until %s to answer", p.AnswerBy.Format(time.DateOnly))
		}
		fmt.Fprintln(out)
	}
}

type snapshotCorrect struct {
	Sequence int `arg:"" help:"Number of the published snapshot that is wrong."`
	stepFlags
	Reason string `required:"" help:"What was wrong."`
	Note   string `help:"Shown to the public."`
}

func (c snapshotCorrect) Run(w *world) error {
	return c.draft(w, acceleratormeter.DraftOrder{Corrects: c.Sequence, Reason: c.Reason, Note: c.Note}, "")
}

type snapshotApprove struct {
	ID string `arg:"" help:"Id of the draft."`
	stepFlags
}

func (c snapshotApprove) Run(w *world) error {
	db, m, owner, err := c.step(w, access.ApproveSnapshot)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := m.Approve(w, c.ID, owner)
	if err != nil {
		return meterAnswer(err)
	}
	fmt.Fprintf(w.err, "approved by %s; another person publishes it with `oots snapshot publish %s`\n", owner, s.ID)
	return printJSON(w.out, map[string]any{"id": s.ID, "state": s.State})
}

type snapshotPublish struct {
	ID string `arg:"" help:"Id of the approved snapshot."`
	stepFlags
}

func (c snapshotPublish) Run(w *world) error {
	db, m, owner, err := c.step(w, access.PublishSnapshot)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := m.Publish(w, c.ID, owner)
	if err != nil {
		return meterAnswer(err)
	}
	fmt.Fprintf(w.err, "published as number %d by %s\n", s.Sequence, owner)
	return printJSON(w.out, map[string]any{"id": s.ID, "state": s.State, "sequence": s.Sequence, "content_hash": s.ContentHash})
}

type snapshotShow struct {
	Snapshot string `arg:"" optional:"" help:"Number, id or date (what was displayed then); the latest when left out."`
	ledgerFlags
	At     string `placeholder:"DATE" help:"What was displayed on a date."`
	Open   bool   `help:"List drafts and approved snapshots instead."`
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

func (c snapshotShow) Run(w *world) error {
	if _, err := acceleratormeter.ParseInstant(c.Snapshot); err == nil {
		c.Snapshot, c.At = "", c.Snapshot
	}
	var at time.Time
	var err error
	if c.At != "" {
		if at, err = acceleratormeter.ParseInstant(c.At); err != nil {
			return meterAnswer(err)
		}
	}
	db, m, err := c.meter(w)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Open {
		return c.waiting(w, m)
	}
	var s acceleratormeter.Snapshot
	if c.Snapshot != "" {
		s, err = m.Get(w, c.Snapshot)
	} else {
		s, err = m.Displayed(w, at)
	}
	if err != nil {
		return meterAnswer(err)
	}
	if c.Format == "json" {
		return printJSON(w.out, s)
	}
	return writeSnapshot(w.out, &s)
}

func (c snapshotShow) waiting(w *world, m *acceleratormeter.Meter) error {
	list, err := m.Open(w)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		if list == nil {
			list = []acceleratormeter.Snapshot{}
		}
		return printJSON(w.out, list)
	}
	for _, s := range list {
		fmt.Fprintf(w.out, "%s  %s  as of %s  drafted by %s\n", s.ID, s.State, s.AsOf.Format(time.DateOnly), s.DraftedBy)
	}
	return nil
}

func writeSnapshot(out io.Writer, s *acceleratormeter.Snapshot) error {
	switch s.State {
	case acceleratormeter.Published:
		fmt.Fprintf(out, "Snapshot %d as displayed from %s, facts up to %s, criteria set %s\n", s.Sequence,
			s.PublishedAt.Format("2006-01-02 15:04 MST"), s.AsOf.Format("2006-01-02 15:04 MST"), s.CriteriaSet)
	default:
		fmt.Fprintf(out, "Snapshot %s, %s, facts up to %s, criteria set %s\n", s.ID, s.State, s.AsOf.Format("2006-01-02 15:04 MST"), s.CriteriaSet)
	}
	if s.Corrects > 0 {
		fmt.Fprintf(out, "Corrects snapshot %d: %s\n", s.Corrects, s.Reason)
	}
	if s.Note != "" {
		fmt.Fprintln(out, s.Note)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range s.Entries {
		country, _ := acceleratormeter.FindCountry(e.Member)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Member, country.Name, levelName(e.Level), e.Movement, e.Basis, e.Reason)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	writeProposals(out, s)
	return nil
}
