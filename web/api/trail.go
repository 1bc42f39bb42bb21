package api

import (
	"context"
	"net/http"

	"github.com/once-only/oots/access"
)

// Deed is a line of the audit trail: what a token's owner asks for, on what.
type Deed struct {
	Owner string // of the token
	Token string // its id
	What  string // operation id
	On    string // id of the record, or how many there are
}

// Trail keeps who wrote what over the API.
type Trail func(ctx context.Context, d Deed) error

// note writes the line before the deed is done: what the trail cannot tell does
// not happen. A line says what was asked for, in a call that was found right.
func (a *api) note(ctx context.Context, t access.Token, what, on string) error {
	if a.Trail == nil {
		return nil
	}
	if err := a.Trail(ctx, Deed{t.Owner, t.ID, what, on}); err != nil {
		a.Log.Error("the audit trail cannot be written", "err", err)
		return problem(http.StatusServiceUnavailable, "no-trail", "the audit trail cannot be written now; nothing was changed. Try again in a moment")
	}
	return nil
}
