package web

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strings"

	pj "github.com/once-only/oots/projectathon"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/validator"
)

// labEvidence is GET /{lang}/lab/evidence/{sha256}: the very message that a fact
// rests on, whichever run or test it belongs to, as text that cannot run.
type labEvidence struct {
	SHA256  string
	Size    int
	From    string // where it belongs to: address without language
	Name    string
	Country string // whose it is; empty for the platform
	Sent    bool   // by the platform
	Kind    string
	Report  *validator.Report // what the validator says of an XML document; nil for others
	Source  []sourceLine      // none for what is no text
	octets  []byte
}

// foundEvidence finds evidence by its digest in runs, then in tests of events. Whoever
// may open none of those that hold it is refused.
func (s *lab) foundEvidence(r *http.Request, who pj.Account, digest string) (*labEvidence, error) {
	digest = strings.ToLower(digest)
	denied := pj.ErrUnknown
	if s.c.Tests != nil {
		runs, err := s.c.Tests.Store.Holding(r.Context(), digest)
		if err != nil {
			return nil, err
		}
		for _, id := range runs {
			run, err := s.c.Tests.Store.Run(r.Context(), id)
			if err != nil {
				return nil, err
			}
			if denied = who.MayFor(pj.ReadMessages, run.System, run.Country); denied == nil {
				return ofRun(run, digest), nil
			}
		}
	}
	t, it, octets, err := s.c.Events.Find(r.Context(), who, digest)
	switch {
	case errors.Is(err, pj.ErrUnknown):
		return nil, denied
	case err != nil:
		return nil, err
	}
	return &labEvidence{SHA256: it.SHA256, From: "/lab/sessions/" + t.ID, Name: t.Case, Country: it.Country, Kind: it.Kind, octets: octets}, nil
}

func ofRun(run *testbed.Run, digest string) *labEvidence {
	for _, m := range run.Messages {
		if m.SHA256 != digest {
			continue
		}
		e := &labEvidence{SHA256: digest, Name: run.Case + " " + run.Title, Country: run.Country, Sent: m.Sent, Kind: m.Action, octets: m.Body}
		if run.Job != "" {
			e.From = "/lab/runs/" + run.Job + "#" + run.Case
		}
		return e
	}
	return &labEvidence{SHA256: digest, Name: run.Case, Country: run.Country} // the store names this run for the digest
}

// message opens a piece of evidence as a page, or as a download.
func (s *lab) message(w http.ResponseWriter, r *http.Request, l *lang) {
	e, err := s.foundEvidence(r, s.account(r), r.PathValue("sha256"))
	if err != nil {
		s.failed(w, r, l, err)
		return
	}
	if r.URL.Query().Has("download") {
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Content-Disposition", `attachment; filename="`+safeName(e.Kind)+"-"+e.SHA256[:12]+`"`)
		_, _ = w.Write(e.octets) // the reader may be gone
		return
	}
	e.read(s.judge.rules)
	s.render(w, r, http.StatusOK, &labView{Lang: l, Name: "evidence", Data: e})
}

// read cuts a text into lines, and has an XML document judged.
func (e *labEvidence) read(rules *validator.Validator) {
	e.Size = len(e.octets)
	report := &validator.Report{}
	if bytes.HasPrefix(bytes.TrimSpace(e.octets), []byte("<")) {
		report = rules.Validate(e.octets, validator.Options{})
		e.Report = report
	}
	e.Source = sourceLines(string(e.octets), report)
}

// findingPlace is where a finding of a run stands in its message.
var findingPlace = regexp.MustCompile(` line ([1-9][0-9]*):`)

// FindingLine is the line that a finding of a run names; "" for none.
func (v *labView) FindingLine(finding string) string {
	if m := findingPlace.FindStringSubmatch(finding); m != nil {
		return m[1]
	}
	return ""
}
