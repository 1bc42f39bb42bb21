package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/once-only/oots/access/passkey"
	pj "github.com/once-only/oots/projectathon"
)

// Who decides shows a passkey in this session, not longer ago than this.
const provenFor = 10 * time.Minute

const provenKey = "proven" // session: when, in Unix milliseconds

// answerField carries what an authenticator said, along with the form that it
// allows: one request proves and writes.
const answerField = "passkey"

// stepUp says that a passkey must be shown before a form counts.
type stepUp struct {
	register bool         // the account has none yet
	why      passkey.Code // of an answer that did not count; empty for none
}

func (e *stepUp) Error() string { return "a passkey must be shown first" }

func (s *lab) newDesk(c LabConfig) (*passkey.Desk, error) {
	if c.Passkeys == nil {
		return nil, nil
	}
	return passkey.New(passkey.Config{Origin: c.BaseURL, Name: s.langs[0].Text("lab.name"), Store: c.Passkeys, Required: c.PasskeysRequired, Now: s.now,
		Note: func(ctx context.Context, party string, what passkey.Deed, id string) error {
			a, _ := s.sessions.Get(ctx, accountKey).(pj.Account)
			return s.c.Events.Note(ctx, pj.Account{Party: party, Post: a.Post}, pj.Action(what), id, "")
		}})
}

// writer is what a form does; it returns where to go.
type writer func(*reading) (to string, err error)

// deciding lets these deeds of a form through only with a passkey.
func (s *lab) deciding(write writer, deeds ...string) writer {
	return func(r *reading) (string, error) {
		if slices.Contains(deeds, r.PostFormValue("do")) {
			if err := s.proven(r); err != nil {
				return "", err
			}
		}
		return write(r)
	}
}

// proven asks for a passkey of whoever decides: the answer that the form
// carries, or one given in this session a short while ago. Whoever may not
// decide is refused by the service, not here.
func (s *lab) proven(r *reading) error {
	if s.desk == nil || r.who.May(pj.KeepPasskey) != nil {
		return nil
	}
	if answer := r.PostFormValue(answerField); answer != "" {
		return s.prove(r, answer)
	}
	if s.provenNow(r.Context()) {
		return nil
	}
	keys, err := s.desk.Store.Of(r.Context(), r.who.Party)
	if err != nil || len(keys) == 0 && !s.desk.Required {
		return err
	}
	return &stepUp{register: len(keys) == 0}
}

func (s *lab) provenNow(ctx context.Context) bool {
	at := s.sessions.GetInt64(ctx, provenKey)
	return at != 0 && s.now().Sub(time.UnixMilli(at)) < provenFor
}

// prove judges an answer; registering a passkey shows it, too.
func (s *lab) prove(r *reading, answer string) error {
	ctx := r.Context()
	err := s.desk.Finish(ctx, r.who.Party, s.sessions.Token(ctx), r.PostFormValue("passkey_name"), []byte(answer))
	var refused *passkey.Refusal
	if errors.As(err, &refused) {
		s.log.Warn("a passkey does not count", "party", r.who.Party, "err", refused)
		keys, err := s.desk.Store.Of(ctx, r.who.Party)
		if err != nil {
			return err
		}
		return &stepUp{register: len(keys) == 0, why: refused.Code}
	}
	if err == nil {
		s.sessions.Put(ctx, provenKey, s.now().UnixMilli())
	}
	return err
}

// heldField is a field of a form that waits for its passkey.
type heldField struct{ Name, Value string }

// labStepUp is the page that asks for a passkey and then sends on what was
// asked for.
type labStepUp struct {
	Register bool
	Why      passkey.Code
	Options  string // of navigator.credentials.get or create
	Held     []heldField
	Name     string // of a new passkey, as it was typed
}

func (s *lab) askPasskey(w http.ResponseWriter, r *http.Request, l *lang, e *stepUp) {
	p := &labStepUp{Register: e.register, Why: e.why, Held: held(r.PostForm), Name: r.PostFormValue("passkey_name")}
	ask := s.desk.AskUse
	if e.register {
		ask = s.desk.AskNew
	}
	options, err := ask(r.Context(), s.account(r).Party, s.sessions.Token(r.Context()))
	if err != nil {
		s.log.Error("a passkey cannot be asked for", "err", err)
		s.problem(w, r, l, http.StatusServiceUnavailable, "lab.passkey.away")
		return
	}
	p.Options = string(options)
	s.render(w, r, http.StatusForbidden, &labView{Lang: l, Name: "stepup", Data: p})
}

// held are the fields of a form but the answer, in a fixed order.
func held(form url.Values) (out []heldField) {
	for name, values := range form {
		for _, v := range values {
			if name != answerField && name != "passkey_name" {
				out = append(out, heldField{name, v})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b heldField) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// labPasskeys is GET /{lang}/lab/passkeys.
type labPasskeys struct {
	Keys     []passkey.Passkey
	Options  string // of a registration; empty where a passkey must be shown first
	Required bool
	Only     bool // the last one stays
}

func (s *lab) passkeys(r *reading) (string, any, string, error) {
	if err := s.keeps(r); err != nil {
		return "", nil, "", err
	}
	keys, err := s.desk.Store.Of(r.Context(), r.who.Party)
	if err != nil {
		return "", nil, "", err
	}
	p := &labPasskeys{Keys: keys, Required: s.desk.Required, Only: s.desk.Required && len(keys) == 1}
	if len(keys) == 0 || s.provenNow(r.Context()) {
		options, err := s.desk.AskNew(r.Context(), r.who.Party, s.sessions.Token(r.Context()))
		if err != nil {
			return "", nil, "", err
		}
		p.Options = string(options)
	}
	return "passkeys", p, "", nil
}

// keeps tells whether the reader can have passkeys here.
func (s *lab) keeps(r *reading) error {
	if err := r.who.May(pj.KeepPasskey); err != nil {
		return err
	}
	if s.desk == nil {
		return pj.ErrUnknown
	}
	return nil
}

// keepPasskey is POST /{lang}/lab/passkeys: whoever has a passkey shows it
// before anything about passkeys changes.
func (s *lab) keepPasskey(r *reading) (string, error) {
	if err := s.keeps(r); err != nil {
		return "", err
	}
	const back = "/lab/passkeys"
	id := r.PostFormValue("id")
	if err := s.proven(r); err != nil {
		return "", err
	}
	var err error
	switch r.PostFormValue("do") {
	case "add": // proven carries the answer; without one, the page now offers to register
		return back + "#add", nil
	case "rename":
		err = s.desk.Rename(r.Context(), r.who.Party, id, r.PostFormValue("name"))
	case "remove":
		err = s.desk.Remove(r.Context(), r.who.Party, id)
	default:
		err = errForm
	}
	return back, err
}
