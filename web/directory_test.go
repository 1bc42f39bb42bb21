package web

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/access"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
)

// directorySite is the site of the Common Services over the seed, with a door
// for clerks.
type directorySite struct {
	*httptest.Server
	manager *lcm.LifecycleManager
	tokens  access.Store
	client  *http.Client
	t       testing.TB
}

func newDirectorySite(t testing.TB, services http.Handler) *directorySite {
	t.Helper()
	m, err := lcm.New(t.Context(), lcm.Config{Store: &lcm.Memory{}, Baseline: seed.Network(), Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	s := &directorySite{manager: m, tokens: &access.Memory{}, t: t}
	now := func() time.Time { return testNow }
	h, err := NewDirectory(DirectoryConfig{BaseURL: "http://directory.example", Sample: true, Public: m, Clerks: &TokenClerks{Tokens: s.tokens, Now: now}, Services: services, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(h)
	t.Cleanup(s.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.client = &http.Client{Jar: jar}
	return s
}

// token is one of a clerk of a country.
func (s *directorySite) token(country string) string {
	s.t.Helper()
	_, text, err := access.Create(s.t.Context(), s.tokens, nil, testNow, "clerk:"+country+"/7", time.Hour, access.SubmitFor(country))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func (s *directorySite) get(path string) (int, string) {
	s.t.Helper()
	r, err := s.client.Get(s.URL + path)
	return s.read(r, err)
}

func (s *directorySite) post(path string, form url.Values) (int, string) {
	s.t.Helper()
	r, err := s.client.PostForm(s.URL+path, form)
	return s.read(r, err)
}

func (s *directorySite) read(r *http.Response, err error) (int, string) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, string(raw)
}

func (s *directorySite) enter(country string) {
	s.t.Helper()
	if status, body := s.post("/en/clerk", url.Values{"token": {s.token(country)}}); status != http.StatusOK || !strings.Contains(body, "Tables of") {
		s.t.Fatalf("nobody enters: %d %.2000s", status, body)
	}
}

// directoryAddresses are all pages of visitors; clerkAddresses those of clerks.
var (
	directoryAddresses = []string{"directory", "directory?find=birth", "directory?find=" + url.QueryEscape("which countries prove birth, how, by whom?") + "&country=DE",
		"directory/matrix", "directory/matrix?procedure=T2", "requirements", "requirements/df81cba1-1936-46fe-ad4b-53254b79bf55", "clerk"}
	clerkAddresses = []string{"clerk", "clerk/procedures", "clerk/requirements", "clerk/evidence-types", "clerk/data-services", "clerk/providers", "clerk/access-points", "clerk/questions", "clerk/code-lists",
		"clerk/providers?row=", "clerk/data-services?row=7d5b4d9a-9b8e-4a53-8f0d-0b8a2f3c7e44", "clerk/procedures?row=", "clerk/requirements?row=", "clerk/code-lists?row=DemoRegistryTown", "clerk/questions?row=e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55",
		"clerk/history", "clerk/history?n=1", "clerk/files", "clerk/answers", "clerk/answers?procedure=T2&line=oots-cs%3Av1.0"}
)

func TestDirectoryPagesAnswerInEveryLanguage(t *testing.T) {
	s := newDirectorySite(t, nil)
	s2 := newDirectorySite(t, nil)
	s2.enter("DE")
	for _, lang := range []string{"en", "de", "fr", "el"} {
		for _, path := range directoryAddresses {
			status, body := s.get("/" + lang + "/" + path)
			if status != http.StatusOK || strings.Contains(body, "[dir.") || strings.Contains(body, "[clerk.") || !strings.Contains(body, "</html>") {
				t.Errorf("/%s/%s: %d %.300s", lang, path, status, body)
			}
		}
		for _, path := range clerkAddresses {
			status, body := s2.get("/" + lang + "/" + path)
			if status != http.StatusOK || strings.Contains(body, "[dir.") || strings.Contains(body, "[clerk.") || !strings.Contains(body, "</html>") {
				i := max(strings.Index(body, "[dir."), strings.Index(body, "[clerk."), 0)
				t.Errorf("/%s/%s: %d %.300s", lang, path, status, body[i:])
			}
		}
	}
}

func TestDirectoryFindsWhoProvesBirth(t *testing.T) {
	s := newDirectorySite(t, nil)
	_, body := s.get("/en/directory?find=" + url.QueryEscape("Which countries prove birth, how, by whom?"))
	for _, want := range []string{"Proof of birth", "Germany", "Birth certificate (demo)", "Demo Civil Registry Hamburg", "application/pdf"} {
		if !strings.Contains(body, want) {
			t.Errorf("the answer does not name %q", want)
		}
	}
	if _, body := s.get("/en/directory?find=Hamburg"); !strings.Contains(body, "Demo Civil Registry Hamburg") || strings.Contains(body, "Demo Board of Education") {
		t.Error("a provider is not found by its name alone")
	}
	if _, body := s.get("/en/directory?find=%3Cscript%3Ealert(1)%3C/script%3E"); strings.Contains(body, "<script>alert") {
		t.Error("the question stands in the page as markup")
	}
	if _, body := s.get("/en/directory/matrix"); !strings.Contains(body, "A gap: nothing said") || !strings.Contains(body, "no such document") {
		t.Error("the matrix shows no gaps or no declared lack")
	}
}

// row reads the form of a row as a browser would send it.
func (s *directorySite) row(table, key string) url.Values {
	t := lcm.TableNamed(table)
	part := s.manager.Part("DE")
	form := url.Values{"row": {key}, "based": {itoa(s.manager.DataSet().Revision)}}
	row := t.Row(part, key)
	for _, c := range t.Columns {
		switch c.Form {
		case lcm.Texts:
			for i, l := range strings.Split(row[c.Name], "\n") {
				if lang, text, ok := strings.Cut(l, ": "); ok {
					form.Set(c.Name+".lang."+itoa(i), lang)
					form.Set(c.Name+"."+itoa(i), text)
				}
			}
		case lcm.Choices, lcm.References:
			form[c.Name] = strings.Split(row[c.Name], "\n")
		default:
			form.Set(c.Name, row[c.Name])
		}
	}
	return form
}

func TestClerkChangesAProvider(t *testing.T) {
	s := newDirectorySite(t, nil)
	s.enter("DE")
	table := lcm.TableNamed("providers")
	key := table.Keys(s.manager.Part("DE"))[0]
	form := s.row("providers", key)
	form.Set("city", "Hamburg")
	form.Set("street", "Demo-Allee")
	form.Set("do", "check")
	if status, body := s.post("/en/clerk/providers", form); status != http.StatusOK || !strings.Contains(body, "Nothing is wrong") {
		t.Fatalf("the check says %d %.3000s", status, body)
	}
	form.Set("do", "answers")
	if _, body := s.post("/en/clerk/providers", form); !strings.Contains(body, "Demo-Allee") || !strings.Contains(body, "/dsd/rest/search") {
		t.Error("the preview does not show the new address in an answer")
	}
	before := s.manager.DataSet().Revision
	form.Set("do", "save")
	if status, body := s.post("/en/clerk/providers", form); status != http.StatusOK || !strings.Contains(body, "Saved.") {
		t.Fatalf("saving says %d %.3000s", status, body)
	}
	if got := s.manager.Part("DE").Providers[0].Address; got.PostCityName != "Hamburg" || got.Thoroughfare != "Demo-Allee" || got.AdminUnitLevel1 != "DE" {
		t.Errorf("the address is %+v", got)
	}
	if status, body := s.post("/en/clerk/providers", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Somebody else changed") {
		t.Errorf("a form of an older revision: %d", status)
	}
	if _, body := s.get("/en/clerk/history?n=" + itoa(before+1)); !strings.Contains(body, "Demo-Allee") || !strings.Contains(body, "clerk:DE/7") || !strings.Contains(body, "on screen") {
		t.Error("the history does not tell what changed, who and how")
	}
	if _, body := s.post("/en/clerk/history", url.Values{"n": {"1"}}); !strings.Contains(body, "Brought back") {
		t.Error("the first revision is not brought back")
	}
	if got := s.manager.Part("DE").Providers[0].Address.Thoroughfare; got != "" {
		t.Errorf("restored, and the street is %q", got)
	}
}

func TestClerkIsToldWhatIsWrong(t *testing.T) {
	s := newDirectorySite(t, nil)
	s.enter("DE")
	revision := s.manager.DataSet().Revision
	for name, c := range map[string]struct {
		table string
		form  url.Values
		want  string
	}{
		"no title":           {"procedures", url.Values{"procedure": {"T2"}}, "it has no title"},
		"unknown procedure":  {"procedures", url.Values{"procedure": {"Z9"}, "titles.0": {"X"}, "titles.lang.0": {"EN"}}, "no code of the list Procedures"},
		"no format":          {"data-services", url.Values{"type": {"x"}}, "it has no distribution"},
		"empty mapping":      {"requirements", url.Values{}, "declare NoMatch"},
		"unknown question":   {"providers", url.Values{"answers": {"x = y"}}, "there is no question"},
		"used value removed": {"code-lists", url.Values{"row": {"DemoRegistryTown"}, "name": {"DemoRegistryTown"}, "version": {"9.0.0"}, "codes": {"X"}}, "still uses it"},
	} {
		for _, do := range []string{"save", "check", "typing"} {
			c.form.Set("do", do)
			c.form.Set("based", itoa(revision))
			status, body := s.post("/en/clerk/"+c.table, c.form)
			if !strings.Contains(body, c.want) || do != "typing" && status != http.StatusUnprocessableEntity {
				t.Errorf("%s, %s: %d, without %q", name, do, status, c.want)
			}
		}
	}
	if s.manager.DataSet().Revision != revision {
		t.Error("something changed")
	}
}

// TestClerksKeepToTheirCountry: nobody is let in without a token of a country,
// and no form reaches another country's tables.
func TestClerksKeepToTheirCountry(t *testing.T) {
	s := newDirectorySite(t, nil)
	for _, path := range clerkAddresses[1:] {
		if _, body := s.get("/en/" + path); !strings.Contains(body, "Sign in") || strings.Contains(body, "Hamburg") {
			t.Errorf("%s is open to visitors", path)
		}
	}
	if status, _ := s.get("/clerk/export/lcm.xml"); status != http.StatusForbidden {
		t.Errorf("a visitor's export has status %d", status)
	}
	if status, _ := s.post("/en/clerk/providers", s.row("providers", "x")); status != http.StatusOK || s.manager.DataSet().Revision != 1 {
		t.Error("a visitor changes something")
	}
	_, text, err := access.Create(t.Context(), s.tokens, nil, testNow, "commission:1", time.Hour, access.WriteFacts)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", "oots_x", text} {
		if status, body := s.post("/en/clerk", url.Values{"token": {token}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "not let in") {
			t.Errorf("the token %.6q: %d", token, status)
		}
	}
	s.enter("FI")
	for _, table := range lcm.Tables() {
		for _, key := range table.Keys(s.manager.Part("DE")) {
			if status, _ := s.get("/en/clerk/" + table.Name + "?row=" + url.QueryEscape(key)); status != http.StatusNotFound {
				t.Errorf("Finland's clerk opens Germany's row %s", key)
			}
		}
	}
	if _, body := s.get("/clerk/export/lcm.xml"); strings.Contains(body, "/DE/") || !strings.Contains(body, "/FI/") {
		t.Error("the export is not Finland's alone")
	}
	request, err := http.NewRequest(http.MethodPost, s.URL+"/en/clerk/providers", strings.NewReader("do=remove&row=x"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	if r, err := s.client.Do(request); err != nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %v, %v", r.StatusCode, err)
	}
	if _, body := s.post("/en/clerk/leave", nil); !strings.Contains(body, "how, and by whom") {
		t.Error("leaving does not lead to the directory")
	}
	if _, body := s.get("/en/clerk/providers"); !strings.Contains(body, "Sign in") {
		t.Error("a clerk who left is still in")
	}
}

func (s *directorySite) upload(what, do string, raw []byte) (int, string) {
	s.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range map[string]string{"what": what, "do": do, "based": itoa(s.manager.DataSet().Revision)} {
		if err := w.WriteField(k, v); err != nil {
			s.t.Fatal(err)
		}
	}
	f, err := w.CreateFormFile("file", "x")
	if err != nil {
		s.t.Fatal(err)
	}
	f.Write(raw)
	w.Close()
	r, err := s.client.Post(s.URL+"/en/clerk/files", w.FormDataContentType(), &b)
	return s.read(r, err)
}

func TestClerksFiles(t *testing.T) {
	s := newDirectorySite(t, nil)
	s.enter("DE")
	for what, file := range map[string]string{"lcm": "lcm.xml", "providers": "providers.csv"} {
		_, raw := s.get("/clerk/export/" + file)
		changed := strings.Replace(raw, "Demo Civil Registry Hamburg", "Demo Registry of Hamburg", 1)
		revision := s.manager.DataSet().Revision
		if status, body := s.upload(what, "try", []byte(changed)); status != http.StatusOK || !strings.Contains(body, "<ins>") || s.manager.DataSet().Revision != revision {
			t.Errorf("%s: trying says %d", what, status)
		}
		if status, body := s.upload(what, "import", []byte(changed)); status != http.StatusOK || !strings.Contains(body, "Imported as revision") {
			t.Errorf("%s: importing says %d %.2000s", what, status, body)
		}
		if got := s.manager.Part("DE").Providers[0].Names[0].Value; got != "Demo Registry of Hamburg" {
			t.Errorf("%s: the provider is %q", what, got)
		}
		if status, body := s.upload(what, "import", []byte("<x")); status != http.StatusUnprocessableEntity || !strings.Contains(body, "summary") {
			t.Errorf("%s: rubbish says %d", what, status)
		}
		if _, err := s.manager.Restore(t.Context(), lcm.Author{Party: "clerk:DE"}, "DE", 1); err != nil {
			t.Fatal(err)
		}
	}
}
