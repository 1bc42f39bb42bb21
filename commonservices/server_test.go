package commonservices_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/once-only/oots/codelist"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/sdg"
)

// TestEveryCodeInItsCase asks wrongly in every way.
func TestEveryCodeInItsCase(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	diploma, _ := seed.EvidenceType("FI", "sec-diploma")
	company, _ := seed.EvidenceType("EE", "company")
	birth, _ := seed.EvidenceType("DE", "birth-cert")
	enc := url.QueryEscape
	eb1, eb2, dsd := "queryId="+enc(cs.QueryRequirements), "queryId="+enc(cs.QueryEvidenceTypes), "queryId="+enc(cs.QueryDataServices)
	fi := dsd + "&evidence-type-classification=" + enc(diploma) + "&country-code=FI"
	de := dsd + "&evidence-type-classification=" + enc(birth) + "&country-code=DE"
	req := eb2 + "&requirement-id=" + enc(seed.Requirement("birth"))
	for _, c := range []struct{ service, version, query, want string }{
		{"eb", "", "", "EB:ERR:0007"},
		{"eb", "", "queryId=urn:x", "EB:ERR:0007"},
		{"eb", "", dsd, "EB:ERR:0007"},
		{"dsd", "", "queryId=urn:x", "DSD:ERR:0004"},
		{"eb", "oots-cs:v3.0", eb1, "EB:ERR:0003"},
		{"dsd", "nonsense", fi, "DSD:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&procedure-id=T2&procedure-id=T2", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&colour=red", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&procedure-id=" + strings.Repeat("T", 600), "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&procedure-id=%zz", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&procedure-id=%00", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&procedure-id=%ff", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", strings.Repeat("x", 9000), "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&procedure-id=X8", "EB:ERR:0005"},
		{"eb", "oots-cs:v2.0", eb1 + "&country-code=GR", "EB:ERR:0006"},
		{"eb", "oots-cs:v2.0", eb1 + "&country-code=fi", "EB:ERR:0006"},
		{"eb", "oots-cs:v2.0", eb1 + "&procedure-id=X11", "EB:ERR:0001"},
		{"eb", "oots-cs:v2.0", eb1 + "&return-incomplete=maybe", "EB:ERR:0003"},
		{"eb", "oots-cs:v1.0", eb1 + "&return-incomplete=true", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb1 + "&jurisdiction-admin-l2=FI1", "EB:ERR:0003"},
		{"eb", "oots-cs:v1.0", eb1 + "&jurisdiction-admin-l2=finland", "EB:ERR:0004"},
		{"eb", "oots-cs:v1.2", req + "&jurisdiction-admin-l2=FI1", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb2, "EB:ERR:0002"},
		{"eb", "oots-cs:v2.0", eb2 + "&requirement-id=birth", "EB:ERR:0003"},
		{"eb", "oots-cs:v2.0", eb2 + "&requirement-id=" + enc(cs.RequirementAddress("12345678-1234-1234-1234-123456789012")), "EB:ERR:0002"},
		{"eb", "oots-cs:v2.0", eb2 + "&requirement-id=" + enc(strings.Replace(seed.Requirement("birth"), "sr.", "sr.acc.", 1)), "EB:ERR:0002"},
		{"eb", "oots-cs:v2.0", req + "&country-code=IE", "EB:ERR:0001"},
		{"dsd", "oots-cs:v2.0", dsd + "&country-code=FI", "DSD:ERR:0003"},
		{"dsd", "oots-cs:v2.0", dsd + "&evidence-type-classification=" + enc(diploma), "DSD:ERR:0003"},
		{"dsd", "oots-cs:v2.0", dsd + "&evidence-type-classification=diploma&country-code=FI", "DSD:ERR:0003"},
		{"dsd", "oots-cs:v2.0", dsd + "&evidence-type-classification=" + enc(diploma) + "&country-code=XX", "DSD:ERR:0006"},
		{"dsd", "oots-cs:v2.0", dsd + "&evidence-type-classification=" + enc(diploma) + "&country-code=DE", "DSD:ERR:0001"},
		{"dsd", "oots-cs:v2.0", dsd + "&evidence-type-classification=" + enc(cs.ClassificationAddress("FI", "12345678-1234-1234-1234-123456789012")) + "&country-code=FI", "DSD:ERR:0002"},
		{"dsd", "oots-cs:v2.0", fi + "&specification=v2", "DSD:ERR:0003"},
		{"dsd", "oots-cs:v1.0", fi + "&specification=oots-edm:v2.0", "DSD:ERR:0003"},
		{"dsd", "oots-cs:v2.0", dsd + "&evidence-type-classification=" + enc(company) + "&country-code=EE&specification=oots-edm:v2.0", "DSD:ERR:0001"},
		{"dsd", "oots-cs:v2.0", dsd + "&evidence-type-classification=" + enc(company) + "&country-code=EE&specification=oots-edm:v1.2", ""},
		{"dsd", "oots-cs:v2.0", fi + "&12345678-1234-1234-1234-123456789012=x", "DSD:ERR:0003"},
		{"dsd", "oots-cs:v2.0", de, "DSD:ERR:0005"},
		{"dsd", "oots-cs:v2.0", de + "&e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55=PARIS", "DSD:ERR:0006"},
		{"dsd", "oots-cs:v2.0", de + "&e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55=BERLIN&E1B7F6D2-3C44-4A8E-8F3E-2D9F8A7B6C55=BERLIN", "DSD:ERR:0003"},
		{"dsd", "oots-cs:v2.0", de + "&e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55=%3Cscript%3E", "DSD:ERR:0006"},
		{"dsd", "oots-cs:v2.0", de + "&E1B7F6D2-3C44-4A8E-8F3E-2D9F8A7B6C55=BERLIN", ""},
		{"dsd", "oots-cs:v1.0", fi + "&evidence-type-id=12345678-1234-1234-1234-123456789012", "DSD:ERR:0001"},
		{"dsd", "oots-cs:v2.0", fi + "&evidence-type-id=12345678-1234-1234-1234-123456789012", "DSD:ERR:0003"},
		{"dsd", "oots-cs:v1.2, oots-cs:v2.0 ,oots-cs:v9.9", fi, ""},
	} {
		r, _ := http.NewRequest(http.MethodGet, d.http.URL+"/"+c.service+"/rest/search?"+c.query, nil)
		if c.version != "" {
			r.Header.Set(cs.HeaderAcceptVersion, c.version)
		}
		body, resp := d.send(t, r)
		got := ""
		if said, err := cs.Decode([]byte(body)); err != nil {
			t.Errorf("%.200s: %v", c.query, err)
		} else if said.Refusal != nil {
			got = said.Refusal.Code
			if said.Refusal.Detail == "" {
				t.Errorf("%.200s: %s has no detail", c.query, got)
			}
		} else if len(said.Asked) > 0 {
			got = "DSD:ERR:0005"
		}
		if got != c.want || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %s %.300s: %q with status %d, want %q\n%s", c.service, c.version, c.query, got, resp.StatusCode, c.want, body)
		}
		if strings.Contains(body, "<script") {
			t.Error("markup of the query comes back as markup")
		}
	}
}

func TestOtherMethodsAndPaths(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	r, _ := http.NewRequest(http.MethodPost, d.http.URL+"/eb/rest/search", strings.NewReader("x"))
	if _, resp := d.send(t, r); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
		t.Errorf("POST gives %d", resp.StatusCode)
	}
	for _, path := range []string{"/eb/rest/searches", "/eb/", "/dsd/rest", "/sr/rest/search", "/eb//rest/search"} {
		resp, err := http.Get(d.http.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s gives %d", path, resp.StatusCode)
		}
	}
}

// TestSeveralInstances mounts two instances in one server, as a platform with a
// sandbox for each team does.
func TestSeveralInstances(t *testing.T) {
	mux := http.NewServeMux()
	var one *directory
	for _, team := range []string{"FI", "FR"} {
		one = newDirectory(t, seed.Network(team))
		mux.Handle("/"+team+"/", http.StripPrefix("/"+team, one))
	}
	all := httptest.NewServer(mux)
	t.Cleanup(all.Close)
	master, _ := seed.EvidenceType("FR", "master")
	client := one.client(t, func(cfg *cs.ClientConfig) {
		cfg.Locator = cs.Static{"*/dsd": all.URL + "/FR/dsd", "*/eb": all.URL + "/FR/eb"}
	})
	if s, err := client.DataServices(t.Context(), cs.DataServiceQuery{Classification: master, Country: "FR"}); err != nil || len(s.Records) != 1 {
		t.Errorf("%v, %v", s, err)
	}
	resp, err := http.Get(all.URL + "/FI/requirements/df81cba1-1936-46fe-ad4b-53254b79bf55")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.Contains(string(page), `href="../evidencetypeclassifications/`) {
		t.Error("the links of a page leave the instance")
	}
}

func TestConditionalRequests(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	query := url.Values{"queryId": {cs.QueryRequirements}, "country-code": {"FI"}}
	_, resp := d.raw(t, "eb", "oots-cs:v2.0", query)
	etag := resp.Header.Get("ETag")
	if etag == "" || !strings.HasPrefix(resp.Header.Get("Cache-Control"), "public, max-age=") || resp.Header.Get("Vary") != cs.HeaderAcceptVersion {
		t.Errorf("headers of a success: %v", resp.Header)
	}
	r, _ := http.NewRequest(http.MethodGet, resp.Request.URL.String(), nil)
	r.Header.Set(cs.HeaderAcceptVersion, "oots-cs:v2.0")
	r.Header.Set("If-None-Match", `"other", W/`+etag)
	again, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != http.StatusNotModified || again.Header.Get(cs.HeaderSignature) == "" {
		t.Errorf("a known answer gives %d", again.StatusCode)
	}
	query.Set("country-code", "GR")
	if _, resp := d.raw(t, "eb", "oots-cs:v2.0", query); resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("ETag") != "" {
		t.Errorf("a refusal may be kept: %v", resp.Header)
	}
}

// TestShapes tells the lines apart.
func TestShapes(t *testing.T) {
	set := seed.DataSet()
	set.Label = "acc"
	d := newDirectory(t, set)
	diploma, _ := seed.EvidenceType("FI", "sec-diploma")
	labelled := func(s string) string { return strings.Replace(s, "//sr.", "//sr.acc.", 1) }
	for _, c := range []struct {
		version  string
		has, not []string
	}{
		{"oots-cs:v2.0", []string{"SpecificationIdentifier", "sr.acc.oots", "datamodels/DemoSecondaryDiploma", "<sdg:Language>FI"}, []string{"distributions/", "//sr.oots"}},
		{"oots-cs:v1.2", []string{"//sr.oots", "distributions/DemoSecondaryDiploma"}, []string{"SpecificationIdentifier", "sr.acc.", "sdg:Language"}},
		{"", []string{"//sr.oots", "distributions/DemoSecondaryDiploma"}, []string{"SpecificationIdentifier", "sr.acc.", "sdg:Language"}},
	} {
		address := diploma
		if c.version == "oots-cs:v2.0" {
			address = labelled(diploma)
		}
		body, _ := d.raw(t, "dsd", c.version, url.Values{"queryId": {cs.QueryDataServices}, "evidence-type-classification": {address}, "country-code": {"FI"}})
		for _, s := range c.has {
			if !strings.Contains(body, s) {
				t.Errorf("%s lacks %s:\n%s", c.version, s, body)
			}
		}
		for _, s := range c.not {
			if strings.Contains(body, s) {
				t.Errorf("%s has %s:\n%s", c.version, s, body)
			}
		}
	}
	services := func(version string) int {
		address := diploma
		if version == "oots-cs:v2.0" {
			address = labelled(diploma)
		}
		body, _ := d.raw(t, "dsd", version, url.Values{"queryId": {cs.QueryDataServices}, "evidence-type-classification": {address}, "country-code": {"FI"}})
		return strings.Count(body, "<sdg:AccessService>")
	}
	if one, two := services("oots-cs:v2.0"), services("oots-cs:v1.0"); one != 1 || two != 2 {
		t.Errorf("a gateway of two lines stands %d times in 2.0 and %d times in 1.0, want once and twice", one, two)
	}
}

// TestSeveralQuestions lets a question be answered by the classification of
// providers' jurisdictions, several questions at once, and a boolean.
func TestSeveralQuestions(t *testing.T) {
	const list, abroad, town = "https://sr.oots.tech.ec.europa.eu/codelists/BE/Community", "0a0a0a0a-1111-4222-8333-444444444444", "0b0b0b0b-1111-4222-8333-444444444444"
	set := seed.DataSet()
	c := *set.Contributions["BE"]
	c.Records = slices.Clone(c.Records)
	c.Providers = slices.Clone(c.Providers)
	record := &c.Records[slices.IndexFunc(c.Records, func(r sdg.DataServiceEvidenceType) bool { return strings.Contains(r.Titles[0].Value, "Flemish") })]
	text := []sdg.Text{{Lang: "EN", Value: "Which?"}}
	record.ProviderQuestions = []sdg.ClassificationConcept{
		{Identifier: sdg.Identifier{Value: "0c0c0c0c-1111-4222-8333-444444444444", Scheme: list}, Type: "codelist", ValueExpression: list, Descriptions: text},
		{Identifier: sdg.Identifier{Value: abroad}, Type: "boolean", Descriptions: text},
		{Identifier: sdg.Identifier{Value: town}, Type: "string", ValueExpression: "[A-Z][a-z]+", Descriptions: text},
	}
	for i := range c.Providers {
		if slices.Contains(c.Providers[i].Records, record.ID) {
			c.Providers[i].Concepts = []sdg.ClassificationConcept{
				{Identifier: sdg.Identifier{Value: abroad}, Type: "boolean", Values: &sdg.SupportedValue{Booleans: []bool{true}}},
				{Identifier: sdg.Identifier{Value: town}, Type: "string", Values: &sdg.SupportedValue{Strings: []string{"Gent", "Brugge"}}},
			}
		}
	}
	d := newDirectory(t, set.With(&c))
	client := d.client(t, nil)
	query := cs.DataServiceQuery{Classification: record.Classification, Country: "BE"}
	s, err := client.DataServices(t.Context(), query)
	if err != nil || len(s.Questions) != 3 || s.Questions[1].Type != cs.AskBoolean || !s.Questions[2].Accepts("Gent") || s.Questions[2].Accepts("gent") {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, x := range []struct{ community, abroad, town, want string }{
		{"VL", "true", "Gent", ""}, {"VL", "true", "Namur", "DSD:ERR:0001"}, {"FR", "true", "Gent", "DSD:ERR:0001"}, {"VL", "false", "Gent", "DSD:ERR:0001"},
		{"XX", "true", "Gent", "DSD:ERR:0006"}, {"VL", "yes", "Gent", "DSD:ERR:0006"}, {"VL", "true", "gent", "DSD:ERR:0006"}, {"VL", "true", "", "DSD:ERR:0005"},
	} {
		query.Answers = map[string]string{"0c0c0c0c-1111-4222-8333-444444444444": x.community, abroad: x.abroad, town: x.town}
		s, err := client.DataServices(t.Context(), query)
		switch {
		case x.want == "DSD:ERR:0005":
			if err != nil || len(s.Questions) != 1 {
				t.Errorf("%+v: %+v, %v", x, s, err)
			}
		case code(err) != x.want || x.want == "" && (err != nil || len(s.Records) != 1):
			t.Errorf("%+v: %v", x, err)
		}
	}
}

// TestLimit asks faster than allowed, from three addresses.
func TestLimit(t *testing.T) {
	c, err := cs.NewCatalogue(seed.DataSet())
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	s, err := cs.NewServer(cs.ServerConfig{Catalogue: c, Signer: newAuthority(t).signer("x"), Limit: 2, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(from string) int {
		r := httptest.NewRequest(http.MethodGet, "/eb/rest/search", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	for i, want := range []int{200, 200, 200, 200, 429} {
		if got := ask("192.0.2.1:1000"); got != want {
			t.Errorf("query %d: %d, want %d", i+1, got, want)
		}
	}
	for i, want := range []int{200, 200, 200, 200, 429} {
		if got := ask(fmt.Sprintf("[2001:db8::%d]:1000", i)); got != want {
			t.Errorf("query %d of one customer: %d, want %d", i+1, got, want)
		}
	}
	if got := ask("192.0.2.2:1000"); got != 200 {
		t.Errorf("another address: %d", got)
	}
	now = now.Add(time.Second)
	if got := ask("192.0.2.1:1000"); got != 200 {
		t.Errorf("a second later: %d", got)
	}
}

// TestRotationHasNoGap exchanges keys under queries.
func TestRotationHasNoGap(t *testing.T) {
	d := newDirectory(t, seed.DataSet())
	var asking sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					d.raw(t, "eb", "oots-cs:v2.0", url.Values{"queryId": {cs.QueryRequirements}, "country-code": {"FI"}})
				}
			}
		})
	}
	var last string
	for i := range 20 {
		if err := d.Rotate(d.authority.signer(fmt.Sprint("key ", i))); err != nil {
			t.Error(err)
		}
		_, resp := d.raw(t, "eb", "oots-cs:v2.0", url.Values{"queryId": {cs.QueryRequirements}, "country-code": {"FI"}})
		if sig := resp.Header.Get(cs.HeaderSignature); sig == last {
			t.Error("the old key signs on after a rotation")
		} else {
			last = sig
		}
	}
	close(stop)
	asking.Wait()
}

// TestChangesAreSeen publishes a change, and fails to publish a broken one.
func TestChangesAreSeen(t *testing.T) {
	set := seed.DataSet()
	d := newDirectory(t, set)
	part := *set.Contributions["FI"]
	part.Providers = slices.Clone(part.Providers)
	part.Providers[0].Address = &sdg.Address{FullAddress: "New street 1 (demo)", AdminUnitLevel1: "FI"}
	diploma, _ := seed.EvidenceType("FI", "sec-diploma")
	query := url.Values{"queryId": {cs.QueryDataServices}, "evidence-type-classification": {diploma}, "country-code": {"FI"}}
	before, resp := d.raw(t, "dsd", "oots-cs:v2.0", query)
	if err := d.Catalogue().Publish(set.With(&part)); err != nil {
		t.Fatal(err)
	}
	after, again := d.raw(t, "dsd", "oots-cs:v2.0", query)
	if strings.Contains(before, "New street") || !strings.Contains(after, "New street") || resp.Header.Get("ETag") == again.Header.Get("ETag") {
		t.Error("a published change is not seen")
	}
	broken := *set.Contributions["FI"]
	broken.Lists = append(slices.Clone(broken.Lists), cs.EvidenceTypeList{EvidenceTypeList: sdg.EvidenceTypeList{ID: "x"}})
	if err := d.Catalogue().Publish(set.With(&broken)); err == nil {
		t.Error("a set that does not hold together is published")
	}
}

// TestAnyQuery asks 10,000 random queries: every answer is signed (raw fails
// otherwise), reads, has a code of the list and no other country's data.
func TestAnyQuery(t *testing.T) {
	d := newDirectory(t, seed.Network())
	set := d.Catalogue().DataSet()
	var classifications []string
	for _, cc := range set.Countries() {
		for _, r := range set.Contributions[cc].Records {
			classifications = append(classifications, r.Classification)
		}
	}
	handler := d.http.Config.Handler
	lists := codelist.BuiltIn()
	verified := map[string]string{} // digest by signature header: what was proven once
	read := map[string]*cs.Decoded{}
	requirements := []string{seed.Requirement("birth"), seed.Requirement("test-0"), seed.Requirement("veh-part2"), "x"}
	verifier := d.authority.verifier()
	one := func(t *rapid.T) {
		service := rapid.SampledFrom([]string{"eb", "dsd"}).Draw(t, "service")
		query := url.Values{}
		if rapid.IntRange(0, 20).Draw(t, "known query") > 0 {
			query.Set("queryId", rapid.SampledFrom([]string{cs.QueryRequirements, cs.QueryEvidenceTypes, cs.QueryDataServices}).Draw(t, "query"))
		}
		noise := rapid.StringOfN(rapid.Rune(), 0, 20, -1)
		country := rapid.SampledFrom(append(set.Countries(), "GR", "EU", "fi", "")).Draw(t, "country")
		for _, p := range []struct {
			name   string
			values []string
		}{
			{"country-code", []string{country}},
			{"procedure-id", []string{"T2", "00", "X8", "R1"}},
			{"requirement-id", requirements},
			{"evidence-type-classification", classifications},
			{"specification", []string{"oots-edm:v2.0", "oots-edm:v1.2", "oots-edm"}},
			{"e1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55", []string{"HAMBURG", "KOELN", "PARIS"}},
			{"return-incomplete", []string{"true", "no"}},
			{"jurisdiction-admin-l2", []string{"FI1", "xx"}},
			{"evidence-type-id", []string{"12345678-1234-1234-1234-123456789012", ""}},
		} {
			switch rapid.IntRange(0, 9).Draw(t, p.name) {
			case 0:
				query.Set(p.name, noise.Draw(t, "noise"))
			case 1, 2, 3, 4, 5:
				query.Set(p.name, rapid.SampledFrom(p.values).Draw(t, "value"))
			case 6:
				if p.name != "country-code" {
					query[p.name] = []string{p.values[0], p.values[0]}
				}
			}
		}
		raw := query.Encode()
		if rapid.IntRange(0, 30).Draw(t, "broken") == 0 {
			raw += noise.Draw(t, "tail")
		}
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/" + service + "/rest/search", RawQuery: raw}, Header: http.Header{}}
		version := rapid.SampledFrom([]string{"", "oots-cs:v2.0", "oots-cs:v1.2", "oots-cs:v1.1", "oots-cs:v1.0", "oots-cs:v9.9"}).Draw(t, "version")
		if version != "" {
			r.Header.Set(cs.HeaderAcceptVersion, version)
		}
		w := &recorder{header: http.Header{}}
		handler.ServeHTTP(w, r)
		digest, signature := w.header.Get(cs.HeaderDigest), w.header.Get(cs.HeaderSignature)
		if verified[signature] != digest || digest != cs.Digest(w.body) {
			if err := verifier.Verify(w.body, digest, signature); err != nil {
				t.Fatal(err)
			}
			verified[signature] = digest
		}
		said := read[digest]
		if said == nil {
			var err error
			if said, err = cs.Decode(w.body); err != nil {
				t.Fatalf("%v: %s", err, w.body)
			}
			read[digest] = said
		}
		if w.status != http.StatusOK {
			t.Fatalf("status %d", w.status)
		}
		list := map[string]string{"eb": codelist.EBErrorCodes, "dsd": codelist.DSDErrorCodes}[service]
		if said.Refusal != nil && !lists.Contains(list, said.Refusal.Code) {
			t.Fatalf("the code %q is not specified", said.Refusal.Code)
		}
		asked := query.Get("country-code")
		for _, r := range said.Records {
			for _, s := range r.AccessServices {
				if s.Publisher.Jurisdiction.AdminUnitLevel1 != asked {
					t.Fatalf("%s was asked, %s answers", asked, s.Publisher.Jurisdiction.AdminUnitLevel1)
				}
			}
		}
		for _, r := range said.Requirements {
			for _, l := range r.EvidenceTypeLists {
				if l.Jurisdiction != nil && asked != "" && l.Jurisdiction.AdminUnitLevel1 != asked {
					t.Fatalf("%s was asked, a list of %s answers", asked, l.Jurisdiction.AdminUnitLevel1)
				}
			}
			for _, f := range r.Frameworks {
				if len(r.EvidenceTypeLists) == 0 && asked != "" && f.Jurisdiction.AdminUnitLevel1 != asked {
					t.Fatalf("%s was asked, a framework of %s answers", asked, f.Jurisdiction.AdminUnitLevel1)
				}
			}
		}
	}
	for range 100 { // rapid checks a property 100 times
		rapid.Check(t, one)
	}
}

type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(s int)   { r.status = s }
func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

func TestSemanticRepository(t *testing.T) {
	set := seed.DataSet()
	gone := seed.Requirement("test-f")
	set.Assets = map[string]cs.Asset{gone: {Status: cs.Withdrawn}, seed.Requirement("birth"): {Version: "1.1.0", Status: cs.Deprecated, Modified: noon, History: []cs.AssetVersion{{Version: "1.0.0", Issued: noon, Notes: "First"}}}}
	part := *set.Contributions["DE"]
	part.CodeLists = slices.Clone(part.CodeLists)
	part.CodeLists[0].Earlier = []cs.CodeListEdition{{Version: "0.9.0", Codes: []cs.Code{{Code: "HAMBURG"}}}}
	d := newDirectory(t, set.With(&part))
	get := func(path, accept string) (int, string, string) {
		t.Helper()
		r, _ := http.NewRequest(http.MethodGet, d.http.URL+path, nil)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Content-Type"), string(body)
	}
	path := func(address string) string { return "/" + strings.TrimPrefix(address, cs.Repository) }
	birth := path(seed.Requirement("birth"))
	classification, _ := seed.EvidenceType("FI", "sec-diploma")
	for _, c := range []struct {
		path, accept string
		status       int
		media, has   string
	}{
		{birth, "text/html,application/xhtml+xml,*/*;q=0.8", 200, "text/html", "Proof of birth"},
		{birth, "application/json", 200, "application/json", `"version": "1.1.0"`},
		{birth, "application/xml", 200, "application/xml", "<status>deprecated</status>"},
		{birth + "?format=json", "text/html", 200, "application/json", "isProvenBy"},
		{birth + "?format=pdf", "", 406, "text/html", "format=html"},
		{birth + "?format=genericode", "", 406, "application/problem+json", "no code list"},
		{birth + "?version=9.9.9", "", 404, "text/html", ""},
		{path(gone), "", 410, "text/html", "withdrawn"},
		{"/requirements/12345678-1234-1234-1234-123456789012", "application/json", 404, "application/problem+json", ""},
		{path(classification), "", 200, "text/html", "Conforms to"},
		{"/datamodels/DemoResidence", "", 200, "text/html", "Demo residence"},
		{"/distributions/DemoResidence", "application/xml", 200, "application/xml", "datamodels/DemoResidence"},
		{"/codelists/DE/DemoRegistryTown", "application/xml", 200, "application/xml", "name-DE"},
		{"/codelists/DE/DemoRegistryTown?version=0.9.0&format=json", "", 200, "application/json", `"version": "0.9.0"`},
		{"/codelists/procedures?format=genericode", "", 200, "application/xml", "<SimpleValue>T2</SimpleValue>"},
		{"/codelists/procedures", "", 200, "text/html", "T2"},
		{"/search?q=flemish&type=EvidenceTypeClassification&country=BE&format=json", "", 200, "application/json", "sec"},
		{"/search?q=zebra", "", 200, "text/html", "Nothing was found"},
		{"/search?q=%3Cscript%3E", "", 200, "text/html", "&lt;script&gt;"},
		{"/search?country=GR&format=json", "", 400, "application/problem+json", "EL"},
		{"/search?q=a&q=b", "", 400, "text/html", "more than once"},
		{"/", "", 200, "text/html", "Proof of birth"},
		{"/nothing", "", 404, "text/html", "Search"},
	} {
		status, media, body := get(c.path, c.accept)
		if status != c.status || !strings.HasPrefix(media, c.media) || !strings.Contains(body, c.has) {
			t.Errorf("%s (%s): %d %s, want %d %s with %q\n%.600s", c.path, c.accept, status, media, c.status, c.media, c.has, body)
		}
		if strings.Contains(media, "json") && !json.Valid([]byte(body)) {
			t.Errorf("%s is no JSON", c.path)
		}
	}
	_, _, body := get("/codelists/DE/DemoRegistryTown?format=genericode", "")
	list, err := codelist.ReadGenericode([]byte(body))
	if err != nil || list.Len() != 4 || list.Edition != "1.0.0" {
		t.Errorf("our genericode: %v, %v", list, err)
	}
	for name := range map[string]bool{"procedures": true, "loa": true, "gender": true, "ootsmediatypes": true, "eberrorcodes": true} {
		_, _, body := get("/codelists/"+name+"?format=genericode", "")
		if _, err := codelist.ReadGenericode([]byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
