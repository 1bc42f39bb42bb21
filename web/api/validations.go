package api

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/validator"
)

// mostMessage bounds a message that is judged over the API, in octets.
const mostMessage = 8 << 20

// validationFormats are the forms of a result, with their media types.
var validationFormats = map[string]struct {
	media string
	write func(*validator.Result, *bytes.Buffer) error
}{
	"json":  {"application/json", func(r *validator.Result, b *bytes.Buffer) error { return r.WriteJSON(b) }},
	"junit": {"application/xml", func(r *validator.Result, b *bytes.Buffer) error { return r.WriteJUnit(b) }},
	"sarif": {"application/sarif+json", func(r *validator.Result, b *bytes.Buffer) error { return r.WriteSARIF(b) }},
}

// validations registers POST /validations: judge one message, keep nothing.
func (a *api) validations(h huma.API) {
	v := validator.New(validator.Config{})
	op := operation("POST", "/validations", "validateMessage", "Judge a message by the rules of its line; nothing is stored", "Validator")
	op.Description = "The body is the message: an Evidence Request, Evidence Response, Error Response, ebMS header, answer of the Common Services or submission. " +
		"The answer is 200 whether the message conforms or not: refused tells. The findings are those of \"oots validate\"."
	op.MaxBodyBytes, op.BodyReadTimeout = mostMessage, 30*time.Second
	op.SkipValidateBody = true
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/xml":        {Schema: &huma.Schema{Type: "string", Description: "the message"}},
		"application/x-ebrs+xml": {Schema: &huma.Schema{Type: "string", Description: "the message"}},
	}}
	op.Responses["200"] = &huma.Response{Description: "the findings", Content: map[string]*huma.MediaType{
		"application/json":       {Schema: &huma.Schema{Type: "object", Description: "refused, and for each message kind, line, findings, passed and notEvaluated"}},
		"application/xml":        {Schema: &huma.Schema{Type: "string", Description: "JUnit"}},
		"application/sarif+json": {Schema: &huma.Schema{Type: "object", Description: "SARIF 2.1.0"}},
	}}
	huma.Register(h, op, func(_ context.Context, in *struct {
		Kind    string `query:"kind" doc:"what the message is, such as EDM-REQ; empty or auto: detect it"`
		Line    string `query:"line" doc:"the line to judge by, such as 2.0; empty: the one that the message announces"`
		Format  string `query:"format" doc:"json, junit or sarif; empty: json"`
		RawBody []byte `contentType:"application/xml"`
	}) (*struct {
		ContentType string `header:"Content-Type"`
		Body        []byte
	}, error) {
		kind, ok := validator.ParseKind(in.Kind)
		if !ok {
			p := problem(http.StatusBadRequest, "unknown-kind", "no kind of message is called %q", in.Kind)
			p.Valid = append([]string{"auto"}, validator.KindNames()...)
			return nil, p
		}
		line := validator.ParseLine(in.Line)
		if in.Line != "" && line == 0 {
			p := problem(http.StatusBadRequest, "unknown-line", "no line is called %q", in.Line)
			p.Valid = validator.AllLine.Names()
			return nil, p
		}
		format, ok := validationFormats[strings.ToLower(in.Format)]
		if in.Format == "" {
			format, ok = validationFormats["json"], true
		}
		if !ok {
			p := problem(http.StatusBadRequest, "unknown-format", "no form of a result is called %q", in.Format)
			for name := range validationFormats {
				p.Valid = append(p.Valid, name)
			}
			slices.Sort(p.Valid)
			return nil, p
		}
		var out bytes.Buffer
		rep := v.Validate(in.RawBody, validator.Options{Kind: kind, Line: line})
		if err := format.write(&validator.Result{Messages: []*validator.Report{rep}}, &out); err != nil {
			return nil, a.fail(err)
		}
		return &struct {
			ContentType string `header:"Content-Type"`
			Body        []byte
		}{format.media, out.Bytes()}, nil
	})
}
