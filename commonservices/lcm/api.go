package lcm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/access"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/regrep"
)

// API takes submissions over HTTP, for tests: POST /lcm/{country} with a
// SubmitObjectsRequest and a bearer token of the scope lcm:{country}. The
// answer is a RegistryResponse: 200 when it is accepted, 422 when it is
// refused. Submissions in production travel over AS4 alone (TDD 3.6.3).
type API struct {
	// Of is the data set that a country changes.
	Of     func(ctx context.Context, country string) (*LifecycleManager, error)
	Tokens access.Store
	Now    func() time.Time // optional; time.Now
}

// mostSubmitted bounds a submission: what the XML reader takes.
const mostSubmitted = 16 << 20

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	country, ok := strings.CutPrefix(r.URL.Path, "/lcm/")
	if !ok || !countries.Contains(country) {
		http.Error(w, "Submit to /lcm/ and a country code, such as /lcm/FI.", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "Submissions are sent with POST.", http.StatusMethodNotAllowed)
		return
	}
	token, status, why := a.who(r, country)
	if status != 0 {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="lcm"`)
		}
		http.Error(w, why, status)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostSubmitted))
	if err != nil {
		http.Error(w, "The submission is longer than 16 MiB or broke off.", http.StatusRequestEntityTooLarge)
		return
	}
	m, err := a.Of(r.Context(), country)
	if err != nil {
		http.Error(w, "There is no data set of this country here.", http.StatusNotFound)
		return
	}
	answer, _, err := m.Answer(r.Context(), Author{Party: token.Owner, How: ByAPI}, country, raw)
	var refused *Refusal
	switch {
	case errors.As(err, &refused):
		w.Header().Set("Content-Type", regrep.MediaType)
		w.WriteHeader(http.StatusUnprocessableEntity)
	case errors.Is(err, cs.ErrConflict):
		http.Error(w, "Somebody else changes the data set at this moment; submit again.", http.StatusConflict)
		return
	case err != nil:
		http.Error(w, "The submission could not be kept. Try again in a minute.", http.StatusServiceUnavailable)
		return
	default:
		w.Header().Set("Content-Type", regrep.MediaType)
	}
	_, _ = w.Write(answer)
}

// who finds the token and holds it to the country; a status other than 0
// refuses.
func (a *API) who(r *http.Request, country string) (t access.Token, status int, why string) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || a.Tokens == nil {
		return t, http.StatusUnauthorized, "Send the header Authorization: Bearer and a token."
	}
	now := time.Now
	if a.Now != nil {
		now = a.Now
	}
	t, err := access.Who(r.Context(), a.Tokens, now(), text)
	var refused *access.Refusal
	switch {
	case errors.As(err, &refused):
		return t, http.StatusUnauthorized, refused.Reason
	case err != nil:
		return t, http.StatusServiceUnavailable, "Tokens cannot be looked up now."
	case !slices.Contains(t.Scopes, access.SubmitFor(country)):
		return t, http.StatusForbidden, "This token does not submit for " + country + "."
	}
	return t, 0, ""
}

// Answer is Submit with the document to send back, also for a *Refusal. Any
// other error has no answer: the submission may be sent again.
func (m *LifecycleManager) Answer(ctx context.Context, by Author, country string, raw []byte) (answer []byte, r *Revision, err error) {
	r, err = m.Submit(ctx, by, country, raw)
	var refused *Refusal
	switch {
	case err == nil:
		answer, err = Success(r.RequestID)
	case errors.As(err, &refused):
		var failed error
		if answer, failed = Failure(refused); failed != nil {
			return nil, nil, failed
		}
	}
	return answer, r, err
}
