package commonservices

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/once-only/oots/codelist"
)

//go:embed repository.html
var repositoryPage string

//go:embed repository.css
var repositoryStyle string

var pages = template.Must(template.New("repository").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(repositoryStyle) },
	"lower": strings.ToLower,
	"name": func(m map[string]string) string {
		for _, lang := range append([]string{"EN"}, sortedKeys(m)...) {
			if m[lang] != "" {
				return m[lang]
			}
		}
		return ""
	},
}).Parse(repositoryPage))

// policy lets the pages load nothing but their own style.
var policy = func() string {
	sum := sha256.Sum256([]byte(repositoryStyle))
	return "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// page is what a page of the Semantic Repository shows.
type page struct {
	Root     string // relative way to the server's root
	Title    string
	Asset    *assetRecord
	Links    []link // relations with their way
	Words    string
	Kind     string
	Country  string
	Kinds    []string
	Found    []link
	Searched bool
	More     bool
	Problem  string
}

// link is a way to another asset, relative to the page.
type link struct{ Href, Text, Address, Kind string }

var assetKinds = []string{"Requirement", "EvidenceTypeClassification", "DataModel", "CodeList"}

// formats are the forms of an asset: the values of ?format= and what of Accept
// they answer to.
var formats = []struct{ name, media string }{
	{"html", "text/html"}, {"json", "application/json"}, {"xml", "application/xml"}, {"xml", "text/xml"}, {"genericode", "application/xml"},
}

const mostFound = 100

// repository answers the addresses of the Semantic Repository (TDD 3.3), and
// what is no address here with 404 in words.
func (s *Server) repository(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	path := strings.TrimPrefix(r.URL.Path, "/")
	root := strings.Repeat("../", strings.Count(path, "/"))
	if root == "" {
		root = "./"
	}
	format := negotiateFormat(r)
	fail := func(status int, words string) {
		s.sayProblem(w, r, format, &page{Root: root, Title: http.StatusText(status), Problem: words}, status)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		fail(http.StatusMethodNotAllowed, "This address is read with GET.")
		return
	}
	pairs, err := parsePairs(r.URL.RawQuery)
	if err != nil {
		fail(http.StatusBadRequest, "The address's query cannot be read: "+err.Error()+".")
		return
	}
	query := map[string]string{}
	for _, p := range pairs {
		query[p.name] = p.value
	}
	if format == "" {
		fail(http.StatusNotAcceptable, "This form is not offered. Write ?format=html, json, xml or, for code lists, genericode.")
		return
	}
	assets := s.cfg.Catalogue.now.Load().assets()
	if path == "" || path == "search" {
		s.searchAssets(w, r, assets, format, root, query)
		return
	}
	asset := assets.find(strings.TrimSuffix(path, "/"), query["version"])
	switch {
	case asset == nil:
		fail(http.StatusNotFound, "Nothing is registered at this address in this environment. Search by title, or check the environment label of the address.")
	case asset.Status == Withdrawn:
		fail(http.StatusGone, "What this address named was withdrawn.")
	case format == "genericode" && asset.Type != "CodeList":
		fail(http.StatusNotAcceptable, "Genericode is the form of code lists; this is no code list. Write ?format=xml.")
	default:
		s.sayAsset(w, r, asset, format, root)
	}
}

// negotiateFormat takes ?format= first, then the best of Accept; "" when
// nothing fits.
func negotiateFormat(r *http.Request) string {
	if f := r.URL.Query().Get("format"); f != "" {
		for _, known := range formats {
			if known.name == f {
				return f
			}
		}
		return ""
	}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" || len(accept) > 2000 {
		return "html"
	}
	best, bestQ := "", 0.0
	for part := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(part, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		media = strings.ToLower(strings.TrimSpace(media))
		for _, f := range formats {
			kind, _, _ := strings.Cut(f.media, "/")
			if (media == f.media || media == "*/*" || media == kind+"/*") && q > bestQ {
				best, bestQ = f.name, q
			}
		}
	}
	return best
}

// sayAsset writes an asset in one form.
func (s *Server) sayAsset(w http.ResponseWriter, r *http.Request, asset *assetRecord, format, root string) {
	var body []byte
	var err error
	media := "application/xml"
	switch format {
	case "json":
		media = "application/json"
		body, err = json.MarshalIndent(asset, "", "  ")
	case "xml", "genericode":
		body, err = asset.xml()
	default:
		media = "text/html; charset=utf-8"
		p := &page{Root: root, Title: pageName(asset.Title), Asset: asset}
		for _, x := range asset.Relations {
			p.Links = append(p.Links, link{root + x.path, x.Title, x.Target, relationWords[x.Type]})
		}
		body, err = p.render()
	}
	s.say(w, r, http.StatusOK, media, body, err)
}

// relationWords say relations to people.
var relationWords = map[string]string{"isRequiredBy": "Required by", "isProvenBy": "Proven by", "proves": "Proves", "conformsTo": "Conforms to"}

func pageName(title map[string]string) string {
	if v := title["EN"]; v != "" {
		return v
	}
	for _, lang := range sortedKeys(title) {
		return title[lang]
	}
	return "Without a title"
}

// searchAssets answers the search of the repository.
func (s *Server) searchAssets(w http.ResponseWriter, r *http.Request, assets assets, format, root string, query map[string]string) {
	p := &page{Root: root, Title: "Semantic Repository", Words: query["q"], Kind: query["type"], Country: query["country"], Kinds: assetKinds, Searched: len(query) > 0}
	switch {
	case p.Kind != "" && !slices.Contains(assetKinds, p.Kind):
		p.Problem = "The type is none of " + strings.Join(assetKinds, ", ") + "."
	case p.Country != "" && !codes.Contains(codelist.Country, p.Country):
		p.Problem = "The country is no code of the list OOTS_Country (Greece is EL)."
	}
	if p.Problem != "" {
		s.sayProblem(w, r, format, p, http.StatusBadRequest)
		return
	}
	found, more := assets.catalogue.search(p.Words, p.Kind, p.Country, mostFound)
	p.More = more
	switch format {
	case "json":
		body, err := json.MarshalIndent(map[string]any{"found": found, "more": more}, "", "  ")
		s.say(w, r, http.StatusOK, "application/json", body, err)
	case "html":
		for _, f := range found {
			p.Found = append(p.Found, link{root + f.path, pageName(f.Title), f.Identifier, f.Type + ", " + f.Country})
		}
		body, err := p.render()
		s.say(w, r, http.StatusOK, "text/html; charset=utf-8", body, err)
	default:
		p.Problem = "A search is answered as HTML or JSON. Write ?format=html or json."
		s.sayProblem(w, r, "html", p, http.StatusNotAcceptable)
	}
}

// sayProblem answers people with a page and machines with a problem document
// (RFC 9457).
func (s *Server) sayProblem(w http.ResponseWriter, r *http.Request, format string, p *page, status int) {
	w.Header().Set("Cache-Control", "no-store")
	if format == "json" || format == "xml" || format == "genericode" {
		body, err := json.Marshal(map[string]any{"title": http.StatusText(status), "status": status, "detail": p.Problem})
		s.say(w, r, status, "application/problem+json", body, err)
		return
	}
	p.Kinds = assetKinds
	body, err := p.render()
	s.say(w, r, status, "text/html; charset=utf-8", body, err)
}

func (p *page) render() ([]byte, error) {
	var b bytes.Buffer
	err := pages.Execute(&b, p)
	return b.Bytes(), err
}

// say writes a body; a success can be kept and asked for conditionally.
func (s *Server) say(w http.ResponseWriter, r *http.Request, status int, media string, body []byte, err error) {
	if err != nil {
		s.cfg.Log.Error("a page could not be made", "err", err)
		http.Error(w, "This page cannot be made now. Try again in a minute.", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	if status == http.StatusOK {
		sum := sha256.Sum256(body)
		etag := fmt.Sprintf("\"%x\"", sum[:12])
		h.Set("ETag", etag)
		h["Cache-Control"] = s.fresh
		if matchesTag(r.Header.Values("If-None-Match"), etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
