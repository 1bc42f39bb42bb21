package testbed_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

// TestHostileDirectories: whatever a system's own directories do, the platform
// is done soon and says what happened.
func TestHostileDirectories(t *testing.T) {
	c := catalogue(t)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"hangs": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		}, "does not answer"},
		"floods": {func(w http.ResponseWriter, r *http.Request) {
			block := []byte(strings.Repeat("<a>", 1<<16))
			for r.Context().Err() == nil {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, "without end"},
		"answers garbage":  {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "\x00\xff<<<") }, "cannot be read"},
		"closes early":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "does not answer"},
		"sends elsewhere":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "cannot be read"},
		"answers a colour": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<colour>blue</colour>") }, "has no //rs:Exception"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.handler)
			t.Cleanup(server.CloseClientConnections)
			r := lab(t, c, "", "oots-edm:v2.0")
			r.Patience = 300 * time.Millisecond
			if name == "floods" {
				r.Patience = 30 * time.Second // the bound on octets ends it, not the clock
			}
			r.Target.Instance = &partner.Instance{Base: server.URL + "/"}
			k := *c.Case("CS-QRY-EB-034")
			k.Steps = append(k.Steps[:1:1], k.Steps[2:]...) // without "valid", to see what the others make of it
			run, err := r.Play(t.Context(), &k)
			if err != nil {
				t.Fatal(err)
			}
			if run.Result != testbed.Fail || !strings.Contains(run.Why, tc.want) {
				t.Errorf("%s: %s, want %s", run.Result, run.Why, tc.want)
			}
		})
	}
}

// TestASystemWithoutDirectories is not asked for any.
func TestASystemWithoutDirectories(t *testing.T) {
	c := catalogue(t)
	r := lab(t, c, "", "oots-edm:v2.0")
	r.Target.Instance = nil
	for _, id := range []string{"CS-QRY-EB-031", "LCM-031"} {
		if run, err := r.Play(t.Context(), c.Case(id)); err != nil || run.Result != testbed.NotApplicable {
			t.Errorf("%s: %s, %v", id, run.Result, err)
		}
	}
}

// TestNoRootNoJudgement: who does not say under which root they sign is not
// failed for a signature that nobody can check.
func TestNoRootNoJudgement(t *testing.T) {
	c := catalogue(t)
	r := lab(t, c, "", "oots-edm:v2.0")
	bare := *r.Target.Instance
	bare.Roots, r.Target.Instance = nil, &bare
	if run, err := r.Play(t.Context(), c.Case("CS-SIG-031")); err != nil || run.Result != testbed.Unsupported || !strings.Contains(run.Why, "--directory-root") {
		t.Errorf("%s %s, %v", run.Result, run.Why, err)
	}
}
