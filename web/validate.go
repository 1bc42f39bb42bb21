package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/once-only/oots/validator"
)

// Validations keeps messages for which a reader asked for a link. It sees a
// digest of the link's id and bytes that only the id opens.
type Validations interface {
	Keep(ctx context.Context, digest [32]byte, sealed []byte, now, until time.Time) error
	// Kept gives the bytes; nil when there are none or their time is over.
	Kept(ctx context.Context, digest [32]byte, now time.Time) ([]byte, error)
}

const (
	mostJudged = 4 << 20             // octets of a message given to the page
	mostShown  = 300 << 10           // octets of a message that is shown in full
	keptFor    = 30 * 24 * time.Hour // how long a link lives
	around     = 4                   // lines shown around a finding of a larger message
)

// judge is what the page /validate needs: rules, and an allowance for all
// readers together, for judging costs more than reading.
type judge struct {
	rules     *validator.Validator
	allowance *rate.Limiter
}

func newJudge() *judge {
	return &judge{validator.New(validator.Config{}), rate.NewLimiter(20, 60)}
}

// validatePage is GET and POST /{lang}/validate, and GET /{lang}/validate/{id}.
type validatePage struct {
	Kinds, Lines []string
	Samples      []validator.Specimen
	CanKeep      bool
	Asked        judged
	Wrong        string // message key of what is wrong with the form
	Report       *validator.Report
	Refusing     int
	Warnings     int
	Advice       int
	Source       []sourceLine
	Link         string // of the kept message
	Until        time.Time
}

// judged is what the reader gave.
type judged struct{ Kind, Line, Text, Sample string }

// sourceLine is a line of the message with the numbers of its findings.
type sourceLine struct {
	N        int
	Text     string
	Findings []int
	Gap      bool // lines before it are left out
}

func (s *site) newValidatePage() *validatePage {
	return &validatePage{Kinds: validator.KindNames(), Lines: validator.AllLine.Names(), Samples: validator.Specimens(), CanKeep: s.Validations != nil}
}

// validate is the empty form.
func (s *site) validate(*visit) (any, error) { return s.newValidatePage(), nil }

// validateForm judges what the form brought. Nothing of it is kept or logged
// unless the reader asks for a link.
func (s *site) validateForm(l *lang) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.judge.allowance.Allow() {
			w.Header().Set("Retry-After", "5")
			s.fail(w, r, &problem{Status: http.StatusTooManyRequests, Message: "error.429"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostJudged+64<<10)
		given, err := readJudged(r)
		if err != nil {
			var big *http.MaxBytesError
			p := &problem{Status: http.StatusBadRequest, Message: "error.form", Cause: err}
			if errors.As(err, &big) {
				p = &problem{Status: http.StatusRequestEntityTooLarge, Message: "validate.toolarge", Cause: err}
			}
			s.fail(w, r, p)
			return
		}
		page := s.newValidatePage()
		page.Asked = given
		if strings.TrimSpace(given.Text) == "" {
			page.Wrong = "validate.nothing"
			s.showValidation(w, r, l, http.StatusUnprocessableEntity, page)
			return
		}
		s.judgeInto(page)
		switch format := r.FormValue("format"); format {
		case "json", "junit":
			s.download(w, r, page.Report, format)
			return
		}
		if r.FormValue("keep") != "" && s.Validations != nil {
			if err := s.keep(r.Context(), l, page); err != nil {
				s.Log.Error("validation not kept", "err", err)
				page.Wrong = "validate.notkept"
			}
		}
		s.showValidation(w, r, l, http.StatusOK, page)
	}
}

// readJudged takes the file, else the sample that was chosen, else the text.
func readJudged(r *http.Request) (judged, error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		if err := r.ParseMultipartForm(mostJudged + 64<<10); err != nil { // in memory: nothing touches the disk
			return judged{}, err
		}
	} else if err := r.ParseForm(); err != nil {
		return judged{}, err
	}
	given := judged{Kind: r.FormValue("kind"), Line: r.FormValue("line"), Sample: r.FormValue("sample")}
	// Browsers send text areas with CR LF; the message had LF.
	given.Text = strings.ReplaceAll(r.FormValue("text"), "\r\n", "\n")
	if r.MultipartForm != nil {
		for _, f := range r.MultipartForm.File["file"] {
			if f.Size == 0 {
				continue
			}
			file, err := f.Open()
			if err != nil {
				return given, err
			}
			defer file.Close()
			raw, err := io.ReadAll(file)
			if err != nil {
				return given, err
			}
			given.Text, given.Sample = string(raw), ""
			return given, nil
		}
	}
	for i, m := range validator.Specimens() {
		if given.Sample == itoa(i) && strings.TrimSpace(given.Text) == "" {
			given.Text = m.XML
		}
	}
	return given, nil
}

// judgeInto fills the page with the judgement of its message.
func (s *site) judgeInto(p *validatePage) {
	kind, _ := validator.ParseKind(p.Asked.Kind)
	p.Report = s.judge.rules.Validate([]byte(p.Asked.Text), validator.Options{Kind: kind, Line: validator.ParseLine(p.Asked.Line)})
	p.Refusing, p.Warnings, p.Advice = p.Report.Count()
	p.Source = sourceLines(p.Asked.Text, p.Report)
}

// sourceLines numbers the message. Of a large one only the lines around the
// findings are shown; of bytes that are no text, none.
func sourceLines(text string, rep *validator.Report) (out []sourceLine) {
	if rep.Message == nil && strings.ContainsAny(text, "\x00") {
		return nil
	}
	findings := map[int][]int{}
	near := map[int]bool{}
	for i, f := range rep.Findings {
		findings[f.Line] = append(findings[f.Line], i+1)
		for n := f.Line - around; n <= f.Line+around; n++ {
			near[n] = true
		}
	}
	lines := strings.Split(strings.TrimSuffix(strings.ToValidUTF8(text, "\uFFFD"), "\n"), "\n")
	gap := false
	for i, line := range lines {
		if len(text) > mostShown && !near[i+1] {
			gap = true
			continue
		}
		if len(line) > 2000 {
			line = strings.ToValidUTF8(line[:2000], "") + " …"
		}
		out = append(out, sourceLine{N: i + 1, Text: strings.TrimSuffix(line, "\r"), Findings: findings[i+1], Gap: gap})
		gap = false
	}
	return out
}

// download sends the result as a file.
func (s *site) download(w http.ResponseWriter, r *http.Request, rep *validator.Report, format string) {
	var b bytes.Buffer
	result := &validator.Result{Messages: []*validator.Report{rep}}
	write, name, media := result.WriteJSON, "validation.json", "application/json"
	if format == "junit" {
		write, name, media = result.WriteJUnit, "validation.xml", "application/xml"
	}
	if err := write(&b); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	newBody(media, b.Bytes()).send(w, r)
}

// keep stores the message under a link that nobody can guess.
func (s *site) keep(ctx context.Context, l *lang, p *validatePage) error {
	id := newLinkID()
	sealed, err := sealMessage(id, p.Asked)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	p.Until = now.Add(keptFor)
	if err := s.Validations.Keep(ctx, linkDigest(id), sealed, now, p.Until); err != nil {
		return err
	}
	p.Link = s.absolute("/" + l.Code + "/validate/" + id)
	return nil
}

// keptValidation judges a kept message again, by the rules of today.
func (s *site) keptValidation(l *lang) http.HandlerFunc {
	gone := &problem{Status: http.StatusNotFound, Message: "validate.gone"}
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Validations == nil {
			s.fail(w, r, gone)
			return
		}
		id := r.PathValue("id")
		sealed, err := s.Validations.Kept(r.Context(), linkDigest(id), s.Now())
		if err != nil {
			s.fail(w, r, fmt.Errorf("kept validation: %w", err))
			return
		}
		page := s.newValidatePage()
		if sealed == nil || openMessage(id, sealed, &page.Asked) != nil {
			s.fail(w, r, gone)
			return
		}
		s.judgeInto(page)
		s.showValidation(w, r, l, http.StatusOK, page)
	}
}

// showValidation renders the page for this reader alone.
func (s *site) showValidation(w http.ResponseWriter, r *http.Request, l *lang, status int, p *validatePage) {
	v := &visit{Context: r.Context(), Lang: l, Path: "/validate", Query: url.Values{}, r: r, now: s.Now()}
	b, err := s.render(&view{visit: v, Name: "validate", Theme: themeOf(r), Data: p, Robots: "noindex"})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	b.sendStatus(w, r, status)
}
