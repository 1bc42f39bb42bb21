package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/store"
)

type token struct {
	Create tokenCreate `cmd:"" help:"Make a token and show it, once."`
	List   tokenList   `cmd:"" help:"All tokens: whose they are, what they may do, how long."`
	Revoke tokenRevoke `cmd:"" help:"End a token for good."`
}

// storeFlags name the store alone.
type storeFlags struct {
	Data string `default:"data" env:"OOTS_DATA" placeholder:"DIR" help:"Folder of the store, or a postgres:// address (${default})."`
}

func (f storeFlags) open(ctx context.Context, mustExist bool) (*store.DB, error) {
	db, err := store.Open(ctx, f.Data, store.Options{MustExist: mustExist})
	if errors.Is(err, store.ErrNoStore) {
		err = fmt.Errorf("%w; name another folder with --data", err)
	}
	return db, err
}

type tokenCreate struct {
	Owner string   `required:"" placeholder:"PARTY" help:"One person or machine, as a party: commission:7f3a, ms:AT, team:AT/portal. No personal name."`
	Scope []string `required:"" sep:"," placeholder:"SCOPE" help:"What it may do, several with commas: facts:write, facts:import, snapshots:draft, snapshots:approve, snapshots:publish, webhooks:manage, corrections:decide, reports:write."`
	Key   string   `placeholder:"PUBLICKEY" help:"For reports:write: the public key that signs the reports, as oots keys report prints it."`
	Days  int      `default:"90" help:"Days until it ends, 366 at most (${default})."`
	storeFlags
}

// Run prints the token alone on stdout, so that a script can take it; all
// words go to stderr.
func (c tokenCreate) Run(w *world) error {
	db, err := c.open(w, false)
	if err != nil {
		return err
	}
	defer db.Close()
	var scopes []access.Scope
	for _, s := range c.Scope {
		scopes = append(scopes, access.Scope(strings.TrimSpace(s)))
	}
	t, text, err := access.CreateFor(w, db.Tokens(), nil, time.Now(), c.Owner, c.Key, time.Duration(c.Days)*24*time.Hour, scopes...)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.err, "token %s of %s, until %s. It is shown this once; only its digest is kept.\n", t.ID, t.Owner, t.ExpiresAt.Format(time.DateOnly))
	_, err = fmt.Fprintln(w.out, text)
	return err
}

type tokenList struct {
	Format string `enum:"text,json" default:"text" help:"text or json."`
	storeFlags
}

func (c tokenList) Run(w *world) error {
	db, err := c.open(w, true)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.Tokens().Tokens(w)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		out := []map[string]any{}
		for _, t := range list {
			o := map[string]any{"id": t.ID, "owner": t.Owner, "scopes": t.Scopes, "created_at": t.CreatedAt, "expires_at": t.ExpiresAt, "state": state(t)}
			if !t.RevokedAt.IsZero() {
				o["revoked_at"] = t.RevokedAt
			}
			out = append(out, o)
		}
		return printJSON(w.out, out)
	}
	tw := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	for _, t := range list {
		var scopes []string
		for _, s := range t.Scopes {
			scopes = append(scopes, string(s))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\tuntil %s\t%s\n", t.ID, state(t), t.Owner, t.ExpiresAt.Format(time.DateOnly), strings.Join(scopes, ","))
	}
	return tw.Flush()
}

// state is a token's state in one word.
func state(t access.Token) string {
	switch now := time.Now(); {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !now.Before(t.ExpiresAt):
		return "ended"
	}
	return "valid"
}

type tokenRevoke struct {
	ID string `arg:"" help:"Id of the token, as oots token list shows it."`
	storeFlags
}

func (c tokenRevoke) Run(w *world) error {
	db, err := c.open(w, true)
	if err != nil {
		return err
	}
	defer db.Close()
	switch err := db.Tokens().RevokeToken(w, c.ID, time.Now()); {
	case errors.Is(err, access.ErrUnknown):
		return no("there is no token %q; oots token list shows the ids", c.ID)
	case err != nil:
		return err
	}
	fmt.Fprintf(w.err, "token %s is revoked\n", c.ID)
	return nil
}
