package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/ledger"
)

// Problem is every error answer (RFC 9457). Its members type, title, status,
// detail and errors are the standard ones; code is one word for programs, valid
// lists what would have been accepted.
type Problem struct {
	Type     string              `json:"type,omitempty" doc:"about:blank: the status says it all"`
	Title    string              `json:"title" doc:"the status in words"`
	Status   int                 `json:"status" doc:"the HTTP status"`
	Detail   string              `json:"detail" doc:"what was found and what to do next"`
	Instance string              `json:"instance,omitempty" doc:"reference for a fault of ours"`
	Code     string              `json:"code,omitempty" doc:"one word for programs, such as unknown-country"`
	Valid    []string            `json:"valid,omitempty" doc:"the valid choices"`
	Errors   []*huma.ErrorDetail `json:"errors,omitempty" doc:"one for each wrong place"`

	header http.Header
}

func (p *Problem) Error() string           { return p.Detail }
func (p *Problem) GetStatus() int          { return p.Status }
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func problem(status int, code, detail string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(detail, args...)}
}

// statuses are the HTTP statuses of the meter's codes; what is not listed is a
// request that cannot be carried out as it is.
var statuses = map[acceleratormeter.Code]int{
	acceleratormeter.UnknownCountry:   http.StatusNotFound,
	acceleratormeter.UnknownCriteria:  http.StatusNotFound,
	acceleratormeter.UnknownSnapshot:  http.StatusNotFound,
	acceleratormeter.BeforeFirst:      http.StatusNotFound,
	acceleratormeter.BadDate:          http.StatusBadRequest,
	acceleratormeter.SamePerson:       http.StatusForbidden,
	acceleratormeter.WrongState:       http.StatusConflict,
	acceleratormeter.OutdatedSnapshot: http.StatusConflict,
	acceleratormeter.LedgerBroken:     http.StatusConflict,
	acceleratormeter.SignatureBroken:  http.StatusConflict,
}

// fail turns any error into the problem that goes out.
func (a *api) fail(err error) error {
	if p := AsProblem(err); p != nil {
		return p
	}
	return fault(a.Log, a.Now(), err)
}

// fault is the problem of what went wrong on our side. It is logged with the
// reference that the answer repeats.
func fault(log *slog.Logger, now time.Time, err error) *Problem {
	ref := fmt.Sprintf("%x", now.UnixNano())
	log.Error("call failed", "reference", ref, "err", err)
	p := problem(http.StatusInternalServerError, "internal", "something went wrong on our side; nothing was changed. If it stays, tell the operator the reference %s", ref)
	p.Instance = "urn:oots:error:" + ref
	return p
}

// known is the problem of an error that the caller can mend, or nil.
func known(err error) *Problem {
	var (
		own     *Problem
		meter   *acceleratormeter.Error
		refusal *ledger.Refusal
		broken  *ledger.Broken
		token   *access.Refusal
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &meter):
		status, ok := statuses[meter.Code]
		if !ok {
			status = http.StatusUnprocessableEntity
		}
		p := problem(status, string(meter.Code), "%s", meter.Error())
		p.Valid = meter.Valid
		return p
	case errors.As(err, &refusal):
		p := problem(http.StatusUnprocessableEntity, "refused-fact", "%s", refusal.Error())
		p.Errors = []*huma.ErrorDetail{{Location: refusal.Field, Message: refusal.Reason}}
		return p
	case errors.As(err, &broken):
		return problem(http.StatusConflict, "ledger-broken", "the ledger does not verify: %s; nothing is written to it before that is settled", broken)
	case errors.Is(err, ledger.ErrNotFound):
		return problem(http.StatusNotFound, "unknown-fact", "there is no fact with this id; GET /api/v1/facts lists them")
	case errors.As(err, &token):
		p := problem(http.StatusUnauthorized, "token", "%s", token.Reason)
		p.header = http.Header{"Www-Authenticate": {`Bearer realm="oots", error="invalid_token"`}}
		return p
	}
	return nil
}

// AsProblem is the problem that a known error becomes; nil for a fault of ours.
func AsProblem(err error) *Problem {
	p := known(err)
	if p != nil && p.Title == "" {
		p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	}
	return p
}

// Refuse answers with the problem document of an error. A fault of ours is
// logged with the reference that the answer repeats.
func Refuse(w http.ResponseWriter, log *slog.Logger, now time.Time, err error) {
	p := AsProblem(err)
	if p == nil {
		p = fault(log, now, err)
	}
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if err := huma.DefaultJSONFormat.Marshal(w, p); err != nil {
		log.Debug("problem not written", "err", err)
	}
}
