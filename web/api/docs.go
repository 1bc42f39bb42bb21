package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsPage string

// documents serves the OpenAPI document in its two versions, and the page that
// is written from it.
func (a *api) documents(mux *http.ServeMux) error {
	three1, err := json.Marshal(a.document)
	if err != nil {
		return fmt.Errorf("api: OpenAPI document: %w", err)
	}
	three0, err := a.document.Downgrade()
	if err != nil {
		return fmt.Errorf("api: OpenAPI 3.0 document: %w", err)
	}
	t, err := template.New("docs").Parse(docsPage)
	if err != nil {
		return fmt.Errorf("api: docs page: %w", err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, map[string]any{"Base": a.BaseURL, "Styles": a.Styles, "Info": a.document.Info, "Sections": a.sections()}); err != nil {
		return fmt.Errorf("api: docs page: %w", err)
	}
	for address, doc := range map[string]struct {
		contentType string
		bytes       []byte
	}{
		"/openapi.json":     {"application/openapi+json", three1},
		"/openapi-3.0.json": {"application/openapi+json", three0},
		"/docs":             {"text/html; charset=utf-8", page.Bytes()},
	} {
		mux.HandleFunc("GET "+address, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", doc.contentType)
			w.Write(doc.bytes)
		})
	}
	return nil
}

// section is the calls of one tag, as the page shows them.
type section struct {
	Name  string
	Calls []call
}

type call struct {
	ID, Method, Path, Summary, Description string
	Example                                string // address to try; empty for writing calls
	Parameters                             []*huma.Param
}

// sections sorts the operations by tag, then address.
func (a *api) sections() []section {
	byTag := map[string][]call{}
	for _, path := range slices.Sorted(maps.Keys(a.document.Paths)) {
		item := a.document.Paths[path]
		for _, o := range []struct {
			method string
			op     *huma.Operation
		}{{"GET", item.Get}, {"POST", item.Post}, {"DELETE", item.Delete}} {
			if o.op == nil {
				continue
			}
			c := call{ID: o.op.OperationID, Method: o.method, Path: path, Summary: o.op.Summary, Description: o.op.Description, Parameters: o.op.Parameters}
			if o.method == "GET" && o.op.Security == nil {
				c.Example = example(path, o.op.Parameters)
			}
			byTag[o.op.Tags[0]] = append(byTag[o.op.Tags[0]], c)
		}
	}
	var out []section
	for _, tag := range []string{"Meter", "Members", "Events", "Facts", "Publication"} {
		out = append(out, section{tag, byTag[tag]})
	}
	return out
}

// example fills an address with the examples of its parameters; empty when one
// that is needed has none.
func example(path string, params []*huma.Param) string {
	query := ""
	for _, p := range params {
		value := p.Example
		if value == nil && p.Schema != nil && len(p.Schema.Examples) > 0 {
			value = p.Schema.Examples[0]
		}
		switch {
		case p.In == "path" && value != nil:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(value))
		case p.In == "query" && p.Required && value != nil:
			query = "?" + p.Name + "=" + fmt.Sprint(value)
		case p.Required:
			return ""
		}
	}
	return path + query
}
