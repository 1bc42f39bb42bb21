package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTwoNodesPingEachOther makes keys, writes two configurations, serves one
// node and pings it from the other, as two national teams would.
func TestTwoNodesPingEachOther(t *testing.T) {
	dir := t.TempDir()
	keysDir := filepath.Join(dir, "keys")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"keys", "init", keysDir, "--party", "AP_FI_01,AP_PT_01"}, nil, &out, &errs); code != 0 {
		t.Fatalf("keys init: %d\n%s", code, &errs)
	}
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	mode := func(self, partner, url string) string {
		return fmt.Sprintf("[self]\nid = %q\n[[partner]]\nid = %q\nurl = %q\nsign = [\"keys/%s/sign.pem\"]\nencrypt = \"keys/%s/encrypt.pem\"\nlines = [\"oots-edm:v2.0\", \"oots-edm:v1.2\"]\n",
			self, partner, url, partner, partner)
	}
	node := func(name, party, more string) string {
		return write(name+".toml", fmt.Sprintf("addr = \"127.0.0.1:0\"\noperations = \"127.0.0.1:0\"\nkeys = \"keys/%s\"\npmode = \"%s-pmode.toml\"\ndata = \"%s-data\"\n[tls]\nroots = \"keys/ca.pem\"\n%s", party, name, name, more))
	}
	write("pt-pmode.toml", mode("AP_PT_01", "AP_FI_01", "https://127.0.0.1:1/as4"))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said, says := io.Pipe()
	served := make(chan int)
	go func() {
		served <- run(ctx, []string{"serve", "node", "--config", node("pt", "AP_PT_01", "min = \"1.3\"\nclients = \"required\"\nclient_roots = \"keys/ca.pem\"\n")}, nil, says, io.Discard)
	}()
	told := make([]byte, 4096)
	var text string
	for strings.Count(text, "\n") < 2 {
		n, err := said.Read(told)
		if err != nil {
			t.Fatal(err)
		}
		text += string(told[:n])
	}
	address := regexp.MustCompile(`https://\S+`).FindString(text)
	operations := regexp.MustCompile(`http://\S+`).FindString(text)

	showing := "client_certificate = true\n"
	pinging := func(url string) (int, string) {
		write("fi-pmode.toml", mode("AP_FI_01", "AP_PT_01", url))
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"ping", "AP_PT_01", "--config", node("fi", "AP_FI_01", showing)}, nil, &out, &errs)
		return code, out.String() + errs.String()
	}
	if code, said := pinging(address); code != 0 || !strings.Contains(said, "acknowledged with a signed receipt") {
		t.Errorf("ping: %d, %s", code, said)
	}
	if code, said := pinging(strings.TrimSuffix(address, "/as4") + "/elsewhere"); code != 1 || !strings.Contains(said, "not with an AS4 signal") {
		t.Errorf("ping of a wrong path: %d, %s", code, said)
	}
	if code, said := pinging("https://127.0.0.1:1/as4"); code != 1 || !strings.Contains(said, "nobody answers") {
		t.Errorf("ping of nobody: %d, %s", code, said)
	}
	showing = "" // the partner wants a client certificate
	if code, said := pinging(address); code != 1 || !strings.Contains(said, "nobody answers") {
		t.Errorf("ping without a client certificate: %d, %s", code, said)
	}
	for _, path := range []string{"healthz", "readyz", "metrics"} {
		resp, err := http.Get(strings.Replace(operations, "healthz", path, 1))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || path == "metrics" && !strings.Contains(string(body), `oots_as4_events_total{code="",event="pinged"} 1`) {
			t.Errorf("%s: %d\n%s", path, resp.StatusCode, body)
		}
	}
	stop()
	go io.Copy(io.Discard, said)
	select {
	case code := <-served:
		if code != 0 {
			t.Errorf("the node ends with %d", code)
		}
	case <-time.After(25 * time.Second):
		t.Error("the node does not stop")
	}
}
