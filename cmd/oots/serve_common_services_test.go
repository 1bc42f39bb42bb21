package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/lcm"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/sdg"
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

// serveDirectories starts the command and gives its base addresses and a client
// that knows the root.
func serveDirectories(t *testing.T, ca *pki.CA, config string) (bases []string, client func(change func(*commonservices.ClientConfig)) *commonservices.Client) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, say := io.Pipe()
	ended := make(chan int)
	var words strings.Builder
	go func() {
		defer say.Close()
		ended <- run(ctx, []string{"serve", "common-services", "--config", config}, strings.NewReader(""), say, &words)
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("the command ends with %d: %s", code, words.String())
		}
	})
	lines := bufio.NewScanner(out)
	for len(bases) < 2 && lines.Scan() {
		bases = append(bases, lines.Text())
	}
	if len(bases) != 2 || !strings.HasSuffix(bases[0], "/eb/") || !strings.HasSuffix(bases[1], "/dsd/") {
		t.Fatalf("the command prints %q", bases)
	}
	go io.Copy(io.Discard, out)
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert())
	return bases, func(change func(*commonservices.ClientConfig)) *commonservices.Client {
		t.Helper()
		cfg := commonservices.ClientConfig{Locator: commonservices.Static{"*/eb": bases[0], "*/dsd": bases[1]}, Verifier: &commonservices.Verifier{Roots: roots}}
		if change != nil {
			change(&cfg)
		}
		c, err := commonservices.NewClient(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// TestServeCommonServices asks the served directories as a client would, then
// submits for a country and sees the change in its sandbox alone.
func TestServeCommonServices(t *testing.T) {
	dir := t.TempDir()
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	directoryKey(t, ca, filepath.Join(dir, "sign.pem"), time.Now())
	config := filepath.Join(dir, "cs.toml")
	if err := os.WriteFile(config, []byte("addr = \"127.0.0.1:0\"\ndata = \"data\"\nseed = true\nkey = \"sign.pem\"\nroot = \"root.pem\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bases, newClient := serveDirectories(t, ca, config)
	client := newClient(nil)
	for _, cc := range []string{"FI", "PT"} {
		if r, _, err := client.EvidenceTypes(t.Context(), seed.Requirement("birth"), cc); err != nil || len(r.EvidenceTypeLists) != 1 {
			t.Errorf("%s: %v, %v", cc, r, err)
		}
	}
	if root, err := os.ReadFile(filepath.Join(dir, "root.pem")); err != nil || !strings.Contains(string(root), "BEGIN CERTIFICATE") {
		t.Errorf("the root for clients: %v", err)
	}

	var token, words strings.Builder
	if code := run(t.Context(), []string{"token", "create", "--data", filepath.Join(dir, "data"), "--owner", "ms:FI", "--scope", "lcm:FI"}, strings.NewReader(""), &token, &words); code != 0 {
		t.Fatalf("token: %d, %s", code, words.String())
	}
	part := *seed.Network().Contributions["FI"]
	part.Providers = slices.Clone(part.Providers)
	part.Providers[0].Address = &sdg.Address{FullAddress: "New street 1 (demo)", AdminUnitLevel1: "FI"}
	raw, _, err := lcm.Encode(&part, lcm.EncodeOptions{ID: "urn:uuid:2d2f9a3e-0b1c-4d5e-8f60-718293a4b5c6"})
	if err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequest(http.MethodPost, strings.TrimSuffix(bases[0], "eb/")+"lcm/FI", bytes.NewReader(raw))
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token.String()))
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the submission is answered with %d: %s", resp.StatusCode, answer)
	}
	diploma, _ := seed.EvidenceType("FI", "sec-diploma")
	address := func(sandbox string) string {
		t.Helper()
		c := newClient(func(cfg *commonservices.ClientConfig) {
			cfg.Locator = commonservices.Static{"*/dsd": bases[1] + sandbox}
		})
		s, err := c.DataServices(t.Context(), commonservices.DataServiceQuery{Classification: diploma, Country: "FI"})
		if err != nil {
			t.Fatal(err)
		}
		return s.Records[0].AccessServices[0].Publisher.Address.FullAddress
	}
	if own, others, all := address("FI"), address("SE"), address(""); own != "New street 1 (demo)" || others != "" || all != "" {
		t.Errorf("the new address is %q in the own sandbox, %q in another, %q outside", own, others, all)
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
