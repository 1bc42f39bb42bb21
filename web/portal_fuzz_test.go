package web

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/once-only/oots/exchange"
)

// What strangers write becomes an address only where it is plain https, a policy
// only where it is a plain origin, and a file name without a way out.
func FuzzForeignWords(f *testing.F) {
	for _, s := range []string{"https://portal.example/return/1", "javascript:alert(1)", "https://a:b@c/", "https://x\r\ny", "http://h;script-src *", "https://h'", "../../etc/passwd", "Diplôme (démo)", "", strings.Repeat("a", 3000)} {
		f.Add(s)
	}
	name := regexp.MustCompile(`^[a-z0-9-]{1,60}\.pdf$`)
	f.Fuzz(func(t *testing.T, s string) {
		if a := httpsAddress(s); a != "" {
			if u, err := url.Parse(a); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
				t.Errorf("%q counts as an https address", s)
			}
		}
		if o := origin(s); strings.ContainsAny(o, "; ,'\"\r\n") {
			t.Errorf("%q would change the policy: %q", s, o)
		}
		if got := fileName(&exchange.Document{Title: s, MediaType: "application/pdf"}); !name.MatchString(got) {
			t.Errorf("%q becomes the file name %q", s, got)
		}
	})
}
