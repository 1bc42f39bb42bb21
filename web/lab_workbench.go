package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	pj "github.com/once-only/oots/projectathon"
)

// ErrBusy says that a system is being changed already.
var ErrBusy = errors.New("an earlier change is still being played")

// Workbench is a demonstration's network, whose systems can be mended and broken.
type Workbench interface {
	// Systems are those of the network, one a country, with what is wrong with each.
	Systems() []WorkSystem
	// Change gives a country's system a fault, or mends it with "". What it changes
	// is played in the background: the system is Busy until the board shows it.
	// ErrBusy: an earlier change is still being played. The page asks only for a
	// country of Systems and one of its Faults.
	Change(ctx context.Context, country, fault string) error
	// Told are the last lines of what is going on, the newest last; at most 50.
	Told() []string
}

// WorkSystem is a system on the workbench.
type WorkSystem struct {
	Country, System string
	Fault           string      // its key; "" for none
	What            string      // the fault in words, in English; "" for none
	Level           int         // on the displayed board
	Risk            bool        // the board shows it at risk
	Faults          []WorkFault // that it may be given
	Busy            bool
}

// WorkFault is something that a system can do wrong.
type WorkFault struct{ Key, What string }

// labWorkbench is GET /{lang}/lab/workbench.
type labWorkbench struct {
	Systems []WorkSystem
	Told    []string
}

// readWorkbench is what an account may see of the workbench, with a sign that
// differs when any of it does.
func (s *lab) readWorkbench(who pj.Account) (p *labWorkbench, sign string, err error) {
	if s.c.Workbench == nil {
		return nil, "", pj.ErrUnknown
	}
	if err := who.May(pj.ChangeSystem); err != nil {
		return nil, "", err
	}
	p = &labWorkbench{s.c.Workbench.Systems(), s.c.Workbench.Told()}
	shown, err := json.Marshal(p)
	sum := sha256.Sum256(shown)
	return p, hex.EncodeToString(sum[:8]), err
}

func (s *lab) workbench(r *reading) (string, any, string, error) {
	p, sign, err := s.readWorkbench(r.who)
	return "workbench", p, "/lab/workbench/changes?after=" + sign, err
}

// changeSystem is POST /{lang}/lab/workbench: it mends a country's system or
// breaks it. The audit trail says so first.
func (s *lab) changeSystem(r *reading) (string, error) {
	p, _, err := s.readWorkbench(r.who)
	if err != nil {
		return "", err
	}
	country, fault := r.PostFormValue("country"), r.PostFormValue("fault")
	i := slices.IndexFunc(p.Systems, func(x WorkSystem) bool { return x.Country == country })
	if i < 0 {
		return "", errForm
	}
	x := p.Systems[i]
	if x.Busy {
		return "", ErrBusy
	}
	if fault == x.Fault || fault != "" && !slices.ContainsFunc(x.Faults, func(f WorkFault) bool { return f.Key == fault }) {
		return "", errForm
	}
	note := "asks for the fault " + fault
	if fault == "" {
		note = "asks to mend " + x.Fault
	}
	if err := s.c.Events.Note(r.Context(), r.who, pj.ChangeSystem, x.System, note); err != nil {
		return "", err
	}
	return "/lab/workbench", s.c.Workbench.Change(r.Context(), country, fault)
}

// workbenchChanges is the event stream of the workbench: a "step" whenever it
// shows something else than the page that asks.
func (s *lab) workbenchChanges(w http.ResponseWriter, r *http.Request) {
	who := s.account(r)
	if _, _, err := s.readWorkbench(who); err != nil {
		s.failed(w, r, s.language(w, r), err)
		return
	}
	last := r.URL.Query().Get("after")
	if seen := r.Header.Get("Last-Event-ID"); seen != "" {
		last = seen
	}
	s.stream(w, r, func() (string, bool) {
		_, sign, err := s.readWorkbench(who)
		if err != nil || sign == last {
			return "", err == nil
		}
		last = sign
		return "id: " + sign + "\nevent: step\ndata: " + sign + "\n\n", true
	})
}
