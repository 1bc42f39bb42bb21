package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/pki"
)

// directoryKey writes a key file of a directory, changed at an instant.
func directoryKey(t *testing.T, ca *pki.CA, file string, changed time.Time) {
	t.Helper()
	id, err := ca.Issue(pki.Request{Name: "Directory", Use: pki.Sign, Key: pki.P256})
	if err != nil {
		t.Fatal(err)
	}
	text, err := id.PEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file+".new", changed, changed); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// TestServeCommonServices asks the served directories as a client would.
func TestServeCommonServices(t *testing.T) {
	dir := t.TempDir()
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	directoryKey(t, ca, filepath.Join(dir, "sign.pem"), time.Now())
	config := filepath.Join(dir, "cs.toml")
	if err := os.WriteFile(config, []byte("addr = \"127.0.0.1:0\"\nseed = true\nkey = \"sign.pem\"\nroot = \"root.pem\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(context.Background())
	out, say := io.Pipe()
	ended := make(chan int)
	go func() {
		defer say.Close()
		ended <- run(ctx, []string{"serve", "common-services", "--config", config}, strings.NewReader(""), say, io.Discard)
	}()
	lines := bufio.NewScanner(out)
	var bases []string
	for len(bases) < 2 && lines.Scan() {
		bases = append(bases, lines.Text())
	}
	if len(bases) != 2 || !strings.HasSuffix(bases[0], "/eb/") || !strings.HasSuffix(bases[1], "/dsd/") {
		t.Fatalf("the command prints %q", bases)
	}
	go io.Copy(io.Discard, out)

	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert())
	client, err := commonservices.NewClient(commonservices.ClientConfig{Locator: commonservices.Static{"*/eb": bases[0], "*/dsd": bases[1]}, Verifier: &commonservices.Verifier{Roots: roots}})
	if err != nil {
		t.Fatal(err)
	}
	for _, cc := range []string{"FI", "PT"} {
		if r, _, err := client.EvidenceTypes(ctx, seed.Requirement("birth"), cc); err != nil || len(r.EvidenceTypeLists) != 1 {
			t.Errorf("%s: %v, %v", cc, r, err)
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("the command ends with %d", code)
	}
}

func TestServeCommonServicesWantsSomethingToServe(t *testing.T) {
	var err strings.Builder
	if code := run(context.Background(), []string{"serve", "common-services"}, strings.NewReader(""), io.Discard, &err); code != 2 || !strings.Contains(err.String(), "--seed") {
		t.Errorf("code %d: %s", code, err.String())
	}
}

// TestKeyFileRotates exchanges the key file under a server.
func TestKeyFileRotates(t *testing.T) {
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	file, now := filepath.Join(t.TempDir(), "sign.pem"), time.Now()
	directoryKey(t, ca, file, now.Add(-time.Hour))
	c := serveCommonServices{Key: file}
	first, err := c.signer()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := commonservices.NewCatalogue(seed.DataSet())
	if err != nil {
		t.Fatal(err)
	}
	server, err := commonservices.NewServer(commonservices.ServerConfig{Catalogue: catalogue, Signer: first})
	if err != nil {
		t.Fatal(err)
	}
	signature := func() string {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest("GET", "/eb/rest/search?queryId="+commonservices.QueryRequirements, nil))
		head, _, _ := strings.Cut(w.Header().Get(commonservices.HeaderSignature), "..")
		return head
	}
	before := signature()
	ctx, stop := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.rotate(ctx, server, slog.New(slog.DiscardHandler), time.Millisecond)
	}()
	for n := 1; signature() == before; n++ { // the watcher may begin after any of them
		directoryKey(t, ca, file, now.Add(time.Duration(n)*time.Second))
	}
	stop()
	<-watched
}
