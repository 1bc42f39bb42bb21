package testbed_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

// far is a runner for a system at an address of this machine.
func far(t *testing.T, c *testbed.Catalogue, address string) *testbed.Runner {
	t.Helper()
	k, err := partner.NewKeys(nil, testbed.PlatformName, testbed.PracticeName)
	if err != nil {
		t.Fatal(err)
	}
	system := partner.Party{PartyConfig: partner.PartyConfig{Name: testbed.PracticeName, Host: address, Keys: k.Parties[testbed.PracticeName]}}
	r, err := testbed.Connect(t.Context(), testbed.Connection{Catalogue: c, Own: k.Parties[testbed.PlatformName], Name: testbed.PlatformName,
		Listen: "127.0.0.1:0", Patience: 300 * time.Millisecond, Target: testbed.Target{Name: "somewhere", Peer: system.Peer(), Data: partner.DefaultData()}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestHostileSystems: whatever a system does, the run ends soon, says what
// happened, and is never the platform's error.
func TestHostileSystems(t *testing.T) {
	c := catalogue(t)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	hostile := map[string]http.HandlerFunc{
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		},
		"floods": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/soap+xml")
			block := []byte(strings.Repeat("<a>", 4096))
			for r.Context().Err() == nil {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		},
		"answers garbage": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "\x00\xff<<<") },
		"closes early":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"redirects":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	}
	for name, handler := range hostile {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			t.Cleanup(server.CloseClientConnections)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			run, err := far(t, c, server.URL+"/as4").Play(ctx, c.Case("EP-SIM-001"))
			if err != nil {
				t.Fatal(err)
			}
			if run.Result != testbed.Fail || !strings.Contains(run.Why, "not acknowledged") {
				t.Errorf("%s: %s", run.Result, run.Why)
			}
		})
	}
}

// TestASystemThatNeverCallsBack acknowledges and keeps silent.
func TestASystemThatNeverCallsBack(t *testing.T) {
	c := catalogue(t)
	r := lab(t, c, "", "oots-edm:v2.0")
	r.Target.Settle, r.Patience = nil, 200*time.Millisecond
	run, err := r.Play(t.Context(), c.Case("EP-SIM-001"))
	if err != nil {
		t.Fatal(err)
	}
	if run.Result != testbed.Fail || !strings.Contains(run.Why, "nothing came in time") {
		t.Errorf("%s: %s", run.Result, run.Why)
	}
}

// TestASystemThatCannotBeDriven is not failed for it.
func TestASystemThatCannotBeDriven(t *testing.T) {
	c := catalogue(t)
	r := lab(t, c, "", "oots-edm:v2.0")
	r.Target.Driver = nil
	run, err := r.Play(t.Context(), c.Case("ER-SIM-001"))
	if err != nil || run.Result != testbed.Unsupported {
		t.Errorf("%v, %s", err, run.Result)
	}
}

// TestTheDriverIsBounded: an API that floods, fails or does not know an order.
func TestTheDriverIsBounded(t *testing.T) {
	for name, want := range map[string]string{"flood": "without end", "garbage": "no outcome", "refuse": "HTTP 500", "unknown": "does not offer"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch name {
			case "flood":
				io.WriteString(w, strings.Repeat(" ", 2<<20))
			case "garbage":
				io.WriteString(w, "<html>")
			case "refuse":
				w.WriteHeader(http.StatusInternalServerError)
			case "unknown":
				w.WriteHeader(http.StatusNotImplemented)
			}
		}))
		d := testbed.HTTPDriver{URL: server.URL}
		if _, err := d.Drive(t.Context(), testbed.Order{Do: "request"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
}

// TestOverTheNetwork plays a case against a practice system that stands at an
// address of its own and is told to act by nobody.
func TestOverTheNetwork(t *testing.T) {
	c := catalogue(t)
	k, err := partner.NewKeys(nil, testbed.PlatformName, testbed.PracticeName)
	if err != nil {
		t.Fatal(err)
	}
	var system *partner.Practice
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		system.ServeHTTP(w, r)
		go system.Settle(context.WithoutCancel(r.Context()))
	}))
	defer server.Close()
	me := partner.Party{PartyConfig: partner.PartyConfig{Name: testbed.PracticeName, Host: server.URL + "/as4", Keys: k.Parties[testbed.PracticeName]}}
	r, err := testbed.Connect(t.Context(), testbed.Connection{Catalogue: c, Own: k.Parties[testbed.PlatformName], Name: testbed.PlatformName,
		Listen: "127.0.0.1:0", Patience: 20 * time.Second, Target: testbed.Target{Name: "elsewhere", Peer: me.Peer(), Data: partner.DefaultData()}})
	if err != nil {
		t.Fatal(err)
	}
	system, err = partner.NewPractice(partner.PracticeConfig{Data: partner.DefaultData(), Judge: judge, PartyConfig: partner.PartyConfig{Name: testbed.PracticeName,
		Host: server.URL + "/as4", Keys: k.Parties[testbed.PracticeName], Peers: []partner.Peer{r.Platform.Peer()}, HTTP: http.DefaultClient,
		Clock: &partner.Clock{}, NewID: r.NewID}})
	if err != nil {
		t.Fatal(err)
	}
	run, err := r.Play(t.Context(), c.Case("EP-SIM-001"))
	if err != nil || run.Result != testbed.Pass {
		show(t, run)
		t.Error(err, run.Result)
	}
}

// TestAwkwardPartners: temper is within the specification, so that everything
// still passes.
func TestAwkwardPartners(t *testing.T) {
	c := catalogue(t)
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	for _, temper := range []partner.Temper{{Shuffle: true}, {Indent: true}, {Prefix: "voc"}, {Duplicate: 1}, {Shuffle: true, Indent: true, Prefix: "x", Duplicate: 2}} {
		for _, id := range []string{"EP-SIM-001", "EP-SIM-003", "EP-SIM-020"} {
			r, err := testbed.NewLab(testbed.LabConfig{Catalogue: c, Keys: k, Judge: judge, Temper: temper, Start: noon})
			if err != nil {
				t.Fatal(err)
			}
			run, err := r.Play(t.Context(), c.Case(id))
			if err != nil || run.Result != testbed.Pass && run.Result != testbed.Warnings {
				show(t, run)
				t.Errorf("%+v: %v", temper, err)
			}
		}
	}
}
