package main

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

// TestNodeConfigurations says what is wrong with a configuration, and takes the
// sound ones.
func TestNodeConfigurations(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"keys", "init", filepath.Join(dir, "keys"), "--party", "AP_FI_01,AP_PT_01"}, nil, &out, &errs); code != 0 {
		t.Fatalf("keys init: %d\n%s", code, &errs)
	}
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("pmode.toml", "[self]\nid = \"AP_FI_01\"\n[[partner]]\nid = \"AP_PT_01\"\nurl = \"https://pt.example/as4\"\nsign = [\"keys/AP_PT_01/sign.pem\"]\nencrypt = \"keys/AP_PT_01/encrypt.pem\"\nlines = [\"oots-edm:v2.0\"]\n")
	if err := os.Mkdir(filepath.Join(dir, "crl"), 0o755); err != nil {
		t.Fatal(err)
	}
	const sound = "keys = \"keys/AP_FI_01\"\npmode = \"pmode.toml\"\n"
	for _, c := range []struct{ text, want string }{
		{sound, ""},
		{sound + "previous = \"keys/AP_PT_01\"\n[tls]\nmin = \"1.3\"\nclients = \"optional\"\nclient_roots = \"keys/ca.pem\"\n[trust]\nrevocation = \"hard\"\nlists = \"crl\"\nissuers = \"keys/ca.pem\"\n[network]\nfrom = \"127.0.0.1\"\nprivate = true\nconnections = 10\n", ""},
		{"pmode = \"pmode.toml\"\n", "keys is missing"},
		{sound + "colour = 1\n", `"colour" is not known`},
		{sound + "[tls]\nmin = \"1.1\"\n", "use 1.2 or 1.3"},
		{sound + "[tls]\nclients = \"maybe\"\n", "use none, optional or required"},
		{sound + "[tls]\nclients = \"required\"\n", "who issues"},
		{sound + "[trust]\nrevocation = \"firm\"\n", "use soft or hard"},
		{sound + "[trust]\nrevocation = \"hard\"\n", "no folder with revocation data"},
		{sound + "[trust]\nlists = \"nowhere\"\n", "revocation folder"},
		{sound + "[network]\nfrom = \"here\"\n", "network.from"},
	} {
		config, err := readNodeConfig(write("node.toml", c.text))
		if err == nil {
			ap, party, e := config.accessPoint(nil, nil, "", refuseAll{}, nil, nil)
			if err = e; ap == nil && strings.Contains(e.Error(), "needs a P-Mode, a store") {
				err = nil // all else was read before
			}
			if err == nil && party != nil {
				var door *tls.Config
				if door, err = config.serverTLS(party); err == nil && door.MinVersion < tls.VersionTLS12 {
					t.Errorf("TLS %x at the door", door.MinVersion)
				}
			}
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s\ngives %v, want %q", c.text, err, c.want)
		}
	}
}

// TestInboxKeepsHeaderAndParts, once however often the message is delivered.
func TestInboxKeepsHeaderAndParts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "inbox")
	m := &as4.Message{Header: &ebms.UserMessage{MessageID: "../../m@x", From: ebms.Party{ID: ebms.PartyID{Value: "AP_FI_01"}}},
		Parts: []as4.Part{{ID: "../p@x", Type: "text/plain", Content: ebms.Bytes("one")}, {Content: ebms.Bytes("two")}}}
	for range 2 {
		if err := (inbox{dir}).Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(kept) != 3 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	for file, want := range map[string]string{kept[0]: `"MessageID": "../../m@x"`, kept[1]: "one", kept[2]: "two"} {
		if got, err := os.ReadFile(file); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s holds %q, %v", filepath.Base(file), got, err)
		}
	}
}
