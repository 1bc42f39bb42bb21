package dataservice

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/exchange"
)

// Backend is a register behind an HTTP service that answers in JSON, described
// in configuration:
//
//	find    = "https://register.example/people?born={dateOfBirth}&name={familyName}"
//	records = "results"                    # where the list is; empty: the answer itself
//	[fields]                               # where each value is in a record
//	holder = "id"
//	familyName = "name.last"
//	givenName = "name.first"
//	dateOfBirth = "born"
//	document = "file.base64"               # the octets, or:
//	documentURL = "file.href"              # an address below the host of find
//	mediaType = "file.type"
//	[headers]
//	Authorization = "Bearer …"
//
// In find {evidenceType}, {procedure}, {familyName}, {givenName},
// {dateOfBirth}, {identifier} and {legalName} are filled in, escaped.
type Backend struct {
	Find    string            `toml:"find"`
	List    string            `toml:"records"`
	Fields  map[string]string `toml:"fields"`
	Fixed   map[string]string `toml:"fixed"` // values that no record has, such as mediaType
	Headers map[string]string `toml:"headers"`
	Client  *http.Client      `toml:"-"` // optional; follows no redirects, 30 s
}

// backendFields are the names that Fields and Fixed know.
var backendFields = []string{"holder", "familyName", "givenName", "dateOfBirth", "identifier", "legalName", "title", "issuedOn", "availableAt",
	"document", "documentURL", "mediaType", "language", "model"}

// Check finds what makes the description unusable.
func (b *Backend) Check() error {
	u, err := url.Parse(b.Find)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("data back end: find must be an http or https address")
	}
	for _, m := range []map[string]string{b.Fields, b.Fixed} {
		for name := range m {
			if !slices.Contains(backendFields, name) {
				return fmt.Errorf("data back end: the field %q is not known; there are %s", name, strings.Join(backendFields, ", "))
			}
		}
	}
	for _, need := range []string{"mediaType"} {
		if b.Fields[need] == "" && b.Fixed[need] == "" {
			return fmt.Errorf("data back end: the field %s is missing", need)
		}
	}
	if b.Fields["document"] == "" && b.Fields["documentURL"] == "" {
		return errors.New("data back end: document or documentURL is missing")
	}
	return nil
}

// Records asks the service. 404 means that it knows nobody.
func (b *Backend) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	status, body, err := b.get(ctx, b.address(q))
	if err != nil {
		return nil, err
	}
	if status == http.StatusNotFound {
		return &exchange.Records{}, nil
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("data back end: status %d", status)
	}
	var answer any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, errors.New("data back end: the answer is no JSON")
	}
	list, ok := dig(answer, b.List).([]any)
	if !ok {
		return nil, errors.New("data back end: there is no list of records where it should be")
	}
	if len(list) > MaxRecords {
		return nil, errTooMuch
	}
	out, wanted := &exchange.Records{}, q.Subject()
	for _, item := range list {
		v := func(name string) string {
			if s, ok := dig(item, b.Fields[name]).(string); ok && b.Fields[name] != "" {
				return s
			}
			return b.Fixed[name]
		}
		r := exchange.Record{Holder: v("holder"), Subject: natural(v("familyName"), v("givenName"), v("dateOfBirth"), v("identifier")),
			Piece: exchange.Piece{Title: v("title"), IssuedOn: v("issuedOn")}}
		if name := v("legalName"); name != "" {
			r.Subject = legal(name, v("identifier"))
		}
		if !couldBe(wanted, r.Subject) {
			continue
		}
		f := exchange.File{MediaType: v("mediaType"), Language: v("language"), Model: v("model")}
		if f.Data, err = b.document(ctx, v("document"), v("documentURL")); err != nil {
			return nil, err
		}
		r.Piece.Forms = []exchange.File{f}
		if at, err := time.Parse(time.RFC3339, v("availableAt")); err == nil && at.After(out.AvailableAt) {
			out.AvailableAt = at
		}
		out.All = append(out.All, r)
	}
	return out, nil
}

// address fills the template in.
func (b *Backend) address(q *exchange.Query) string {
	s := q.Subject()
	values := map[string]string{"evidenceType": q.Request.Evidence.Classification, "procedure": q.Request.Procedure}
	if p := s.NaturalPerson; p != nil {
		values["familyName"], values["givenName"], values["dateOfBirth"] = p.FamilyName, p.GivenName, p.DateOfBirth
		if p.Identifier != nil {
			values["identifier"] = p.Identifier.Value
		}
	}
	if l := s.LegalPerson; l != nil {
		values["legalName"] = l.LegalName
		if l.LegalIdentifier != nil {
			values["identifier"] = l.LegalIdentifier.Value
		}
	}
	out := b.Find
	for _, name := range []string{"evidenceType", "procedure", "familyName", "givenName", "dateOfBirth", "identifier", "legalName"} {
		out = strings.ReplaceAll(out, "{"+name+"}", url.QueryEscape(values[name]))
	}
	return out
}

func (b *Backend) document(ctx context.Context, inline, href string) ([]byte, error) {
	if inline != "" {
		data, err := base64.StdEncoding.DecodeString(inline)
		if err != nil {
			return nil, errors.New("data back end: a document is not in base64")
		}
		return data, nil
	}
	base, err := url.Parse(b.Find)
	if err != nil {
		return nil, err
	}
	u, err := base.Parse(href)
	if err != nil || href == "" || u.Host != base.Host || u.Scheme != base.Scheme {
		return nil, errors.New("data back end: a document is not on the host of the register")
	}
	status, data, err := b.get(ctx, u.String())
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("data back end: status %d for a document", status)
	}
	return data, err
}

func (b *Backend) get(ctx context.Context, address string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, errors.New("data back end: bad address") // the cause would quote the person
	}
	r.Header.Set("Accept", "application/json")
	for name, value := range b.Headers {
		r.Header.Set(name, value)
	}
	status, _, body, err := do(b.Client, r)
	return status, body, err
}

// do sends a request and reads a bounded answer. An error of the client quotes
// the address, and with it the person: only its cause is kept.
func do(client *http.Client, r *http.Request) (status int, header http.Header, body []byte, err error) {
	if client == nil {
		client = defaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, nil, nil, fmt.Errorf("data service: %w", err)
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, MaxAnswer+1))
	if err == nil && len(body) > MaxAnswer {
		err = errTooMuch
	}
	return answer.StatusCode, answer.Header, body, err
}

var defaultClient = &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// dig follows names separated by dots.
func dig(v any, path string) any {
	if path == "" {
		return v
	}
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}
