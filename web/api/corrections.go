package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/correction"
)

// CorrectionList names the generic list for the OpenAPI document.
type CorrectionList = ListView[correction.Request]

// corrections registers how requests of readers are read and decided.
func (a *api) corrections(h huma.API) {
	if a.Corrections == nil {
		return
	}
	huma.Register(h, protected("GET", "/corrections", "listCorrections", "Requests for correction, with their confidential texts", "Publication", access.DecideCorrections),
		func(ctx context.Context, in *Bearer) (*output[CorrectionList], error) {
			if _, err := a.who(ctx, in.Authorization, access.DecideCorrections); err != nil {
				return nil, a.fail(err)
			}
			list, err := a.Corrections.List(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			out := listed(list)
			out.CacheControl = "private, no-store"
			return out, nil
		})
	op := protected("POST", "/corrections/{id}/decision", "decideCorrection", "Decide a request for correction", "Publication", access.DecideCorrections)
	op.Description += " The answer is public; the asker's address is erased."
	op.DefaultStatus = http.StatusNoContent
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Bearer
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			Outcome string `json:"outcome" enum:"upheld,rejected,withdrawn"`
			Answer  string `json:"answer" maxLength:"2000"`
		}
	}) (*struct{}, error) {
		t, err := a.who(ctx, in.Authorization, access.DecideCorrections)
		if err != nil {
			return nil, a.fail(err)
		}
		d := correction.Decision{At: a.Now().UTC(), By: t.Owner, Outcome: in.Body.Outcome, Answer: in.Body.Answer}
		if err := d.Check(); err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "bad-decision", "%v", err)
		}
		if err := a.note(ctx, t, "decideCorrection", in.ID); err != nil {
			return nil, err
		}
		switch err := a.Corrections.Decide(ctx, in.ID, d); {
		case errors.Is(err, correction.ErrUnknown):
			return nil, problem(http.StatusNotFound, "unknown-correction", "no request has the number %s", in.ID)
		case errors.Is(err, correction.ErrDecided):
			return nil, problem(http.StatusConflict, "decided", "the request %s is decided already", in.ID)
		case err != nil:
			return nil, a.fail(err)
		}
		return nil, nil
	})
}
