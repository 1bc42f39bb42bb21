package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/pki"
)

// TestTheSiteWatchesADirectory serves the Common Services of acceptance and a
// node, and looks at them as the file of the public site says.
func TestTheSiteWatchesADirectory(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if code := run(t.Context(), []string{"keys", "init", filepath.Join(dir, "keys"), "--party", "AP_EU_01,AP_PT_01"}, nil, io.Discard, io.Discard); code != 0 {
		t.Fatalf("keys init: %d", code)
	}
	bases := serveUntilEnd(t, 2, "serve", "common-services", "--config", write("cs.toml", "addr = \"127.0.0.1:0\"\nenvironment = \"acceptance\"\nseed = true\nroot = \"root.pem\"\n"))
	mode := "[self]\nid = %q\n[[partner]]\nname = %q\nid = %q\nurl = %q\nsign = [\"keys/%[3]s/sign.pem\"]\nencrypt = \"keys/%[3]s/encrypt.pem\"\nlines = [\"oots-edm:v2.0\"]\n"
	write("pt-pmode.toml", fmt.Sprintf(mode, "AP_PT_01", "eu", "AP_EU_01", "https://127.0.0.1:1/as4"))
	node := serveUntilEnd(t, 2, "serve", "node", "--config", write("pt.toml", "addr = \"127.0.0.1:0\"\noperations = \"127.0.0.1:0\"\nkeys = \"keys/AP_PT_01\"\npmode = \"pt-pmode.toml\"\ndata = \"pt-data\"\n"))
	write("eu-pmode.toml", fmt.Sprintf(mode, "AP_EU_01", "pt", "AP_PT_01", node[0]))
	write("platform.toml", "keys = \"keys/AP_EU_01\"\npmode = \"eu-pmode.toml\"\n[tls]\nroots = \"keys/ca.pem\"\n")
	file := write("meter.toml", fmt.Sprintf("data = \"data\"\n[watch]\nevery = \"12h\"\n[[watch.environment]]\ncode = \"acceptance\"\neb = %q\ndsd = %q\nroots = \"root.pem\"\nnode = \"platform.toml\"\n", bases[0], bases[1]))

	c := serveMeter{Config: file}
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	l := ledger.New(ledger.Config{Store: &ledger.Memory{}})
	w, err := c.Watch.watcher(dir, l, "", true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for cc, want := range map[string]string{
		"PT": "as4-ping:pass cs-reachability:pass cs-signature:pass tls:fail procedure: evidence-type: data-service: ",
		"LI": "as4-ping:error cs-reachability:pass cs-signature:pass tls:fail procedure: evidence-type: data-service: ",
	} {
		facts, err := w.Look(t.Context(), ledger.Acceptance, cc)
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		for _, f := range facts {
			fmt.Fprintf(&said, "%s:%s ", f.Body.Item, f.Body.Outcome)
		}
		if said.String() != want {
			t.Errorf("of %s is seen\n%s, want\n%s", cc, &said, want)
		}
	}
}

// serveUntilEnd runs a command that serves until the test ends, and gives the
// addresses in its first lines.
func serveUntilEnd(t *testing.T, lines int, args ...string) (addresses []string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, say := io.Pipe()
	ended := make(chan int)
	var words strings.Builder
	go func() {
		defer say.Close()
		ended <- run(ctx, args, nil, say, &words)
	}()
	t.Cleanup(func() { stop(); <-ended })
	told := make([]byte, 4096)
	var text string
	for strings.Count(text, "\n") < lines {
		n, err := out.Read(told)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, &words)
		}
		text += string(told[:n])
	}
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "http") {
			addresses = append(addresses, word)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return addresses
}

func TestWhatTheWatchSettingsRefuse(t *testing.T) {
	dir := t.TempDir()
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert().Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, why string }{
		{"[watch]\nevrey = \"24h\"", "evrey"},
		{"[watch]\nevery = \"tomorrow\"", "tomorrow"},
		{"[watch]\nevery = \"1s\"\n[[watch.environment]]\ncode = \"production\"\neb = \"https://a/\"\ndsd = \"https://a/\"\nroots = \"ca.pem\"", "too short"},
		{"[watch]\ncountries = [\"GR\"]\n[[watch.environment]]\ncode = \"production\"", "EL"},
		{"[[watch.environment]]\ncode = \"production\"", "say where the directories are"},
		{"[[watch.environment]]\ncode = \"production\"\nnaptr = \"127.0.0.1:53\"\neb = \"https://a/\"", "not both"},
		{"[[watch.environment]]\ncode = \"uat\"\nnaptr = \"127.0.0.1:53\"", "give eb and dsd"},
		{"[[watch.environment]]\ncode = \"production\"\nnaptr = \"127.0.0.1:53\"", "roots is missing"},
		{"[[watch.environment]]\ncode = \"here\"\neb = \"https://a/\"\ndsd = \"https://a/\"\nroots = \"ca.pem\"", "no environment"},
		{"[[watch.environment]]\ncode = \"production\"\neb = \"https://a/\"\ndsd = \"https://a/\"\nroots = \"none.pem\"", "none.pem"},
	} {
		file := filepath.Join(dir, "meter.toml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		m := serveMeter{Config: file}
		err := m.complete()
		if err == nil {
			_, err = m.Watch.watcher(dir, ledger.New(ledger.Config{Store: &ledger.Memory{}}), "", false, nil)
		}
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%q: %v, want an error with %q", c.text, err, c.why)
		}
	}
}
