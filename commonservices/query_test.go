package commonservices

import (
	"net/url"
	"testing"
)

// FuzzQuery takes any query apart: nothing panics, what is refused has a code
// and a detail, and what is understood means the same when it is written anew.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"queryId=" + QueryRequirements + "&procedure-id=T2&country-code=NL",
		"queryId=" + QueryEvidenceTypes + "&requirement-id=" + RequirementAddress("8c72f89b-86bc-4960-b684-80a2c5dda00b"),
		"queryId=" + QueryDataServices + "&evidence-type-classification=" + ClassificationAddress("DE", "9a3a4b1e-3f5b-4b0e-9f0a-5a6d7c8e9f01") + "&country-code=DE&E1b7f6d2-3c44-4a8e-8f3e-2d9f8a7b6c55=K%C3%B6ln",
		"queryId=%zz", "a=b;c=d", "&&&=", "queryId=1&queryId=2",
	} {
		f.Add(q, uint8(0))
		f.Add(q, uint8(3))
	}
	f.Fuzz(func(t *testing.T, raw string, which uint8) {
		v := dialects[int(which)%len(dialects)].voice("acc")
		for _, d := range directories() {
			a, refused := d.understand(raw, v)
			if refused != nil {
				if refused.Code == "" || refused.Detail == "" || !clean(refused.Detail) {
					t.Errorf("a refusal without code or readable detail: %+v", refused)
				}
				continue
			}
			again := url.Values{paramQuery: {a.query.id}}
			for name, value := range a.values {
				again.Set(name, value)
			}
			for name, value := range a.answers {
				again.Set(name, value)
			}
			b, refused := d.understand(again.Encode(), v)
			if refused != nil || b.key() != a.key() {
				t.Errorf("%q means something else when written anew: %v", raw, refused)
			}
		}
	})
}

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]Line{
		"": V10, "  ": V10, "oots-cs:v2.0": V20, "oots-cs:v1.1,oots-cs:v1.2": V12, "oots-cs:v9.0 , oots-cs:v1.0": V10, "oots-cs:v9.0": "", "v2.0": "", ",": "",
	} {
		got := Line("")
		if d := negotiate(accept); d != nil {
			got = d.line
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", accept, got, want)
		}
	}
}
