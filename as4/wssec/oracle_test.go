package wssec

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/once-only/oots/as4/ebms"
)

// Other implementations judge what we make. A missing one skips its test, or
// fails it where OOTS_TEST_ALL=1 says that everything is installed.

func needs(t *testing.T, ok bool, what string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("OOTS_TEST_ALL") == "1" {
		t.Fatal(what + " is missing")
	}
	t.Skip(what + " is not installed")
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	needs(t, err == nil, name)
	return path
}

// santuarioJars are where Debian's libxml-security-java and what it needs are.
var santuarioJars = []string{"xmlsec.jar", "commons-codec.jar", "slf4j-api.jar", "slf4j-nop.jar"}

const jarFolder = "/usr/share/java"

func classPath() string {
	var all []string
	for _, j := range santuarioJars {
		all = append(all, filepath.Join(jarFolder, j))
	}
	return strings.Join(all, ":")
}

// compiled are the classes of testdata/java, compiled once a run.
var compiled = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "classes-")
	if err != nil {
		return "", err
	}
	sources := []string{"testdata/java/SwA.java"}
	if _, err := os.Stat(filepath.Join(jarFolder, santuarioJars[0])); err == nil {
		sources = append(sources, "testdata/java/Santuario.java")
	}
	out, err := exec.Command("javac", append([]string{"-d", dir, "-cp", classPath()}, sources...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("javac: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if _, err := exec.LookPath("javac"); err == nil && javaUsed {
		if dir, err := compiled(); err == nil {
			os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

var javaUsed bool

func java(t *testing.T, args ...string) string {
	t.Helper()
	tool(t, "javac")
	javaUsed = true
	dir, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool(t, "java"), append([]string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", dir + ":" + classPath()}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("java %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

func store(t *testing.T, data []byte) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func TestJDKVerifiesOurUserMessages(t *testing.T) {
	tool(t, "javac")
	svg := []byte("<svg  xmlns='http://www.w3.org/2000/svg' b='1' a=\"2\"><g/><!-- c --></svg>")
	args := []string{"SwA"}
	var want []string
	job := func(answer string, words ...string) {
		if len(want) > 0 {
			args = append(args, "--")
		}
		args = append(args, words...)
		want = append(want, answer)
	}
	for _, c := range []struct {
		prefixes bool
		types    []string
		content  []byte
	}{
		{false, []string{ebms.Gzip, "application/octet-stream"}, picture},
		{true, []string{"application/octet-stream"}, picture},
		{false, []string{"image/svg+xml", "text/xml", "application/x-ebrs+xml", "text/plain"}, svg},
		{true, strings.Split(strings.Repeat("application/octet-stream,", 27)+"text/csv", ","), []byte("a\nb\r\nc\rd")},
	} {
		m := request()
		var parts []ebms.Part
		words := []string{"verify", "", store(t, people().a.Sign.Cert().Raw)}
		for i, kind := range c.types {
			id := fmt.Sprintf("p%d@ap.example.eu", i)
			m.Parts = append(m.Parts, ebms.PartInfo{ContentID: id})
			parts = append(parts, ebms.Part{ID: id, Type: kind, Content: ebms.Bytes(c.content)})
			words = append(words, "cid:"+id, kind, store(t, c.content))
		}
		signed, err := (&Signer{Identity: people().a.Sign, PrefixList: c.prefixes}).Sign(&ebms.Header{User: m}, parts)
		if err != nil {
			t.Fatal(err)
		}
		// The JDK sees the message as it travels, encryption elements included.
		env, _, err := (&Encrypter{Recipient: people().b.Encrypt.Cert()}).Encrypt(signed.Envelope, parts)
		if err != nil {
			t.Fatal(err)
		}
		words[1] = store(t, env)
		job("valid", words...)
		// The oracle can say no: a changed part, a changed header.
		words = append([]string(nil), words...)
		words[len(words)-1] = store(t, []byte("<other/>"))
		job("invalid", words...)
		words = append([]string(nil), words...)
		words[len(words)-1] = store(t, c.content)
		words[1] = store(t, bytes.Replace(env, []byte("XX-4711"), []byte("XX-0666"), 1))
		job("invalid", words...)
	}
	lines := strings.Split(strings.TrimSpace(java(t, args...)), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d answers for %d messages", len(lines), len(want))
	}
	for i, line := range lines {
		if answer, _, _ := strings.Cut(line, " "); answer != want[i] {
			t.Errorf("message %d: the JDK says %s, want %s", i, line, want[i])
		}
	}
}

// A message that the JDK signs, with other prefixes, PrefixLists, base64 in
// lines and parts under the XML and text rules, verifies here.
func TestWeVerifyWhatTheJDKSigns(t *testing.T) {
	tool(t, "javac")
	key, err := x509.MarshalPKCS8PrivateKey(people().a.Sign.Key)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("<svg  xmlns='http://www.w3.org/2000/svg' b='1' a=\"2\">\r\n<g/>\n<!-- c --></svg>")
	types := []string{"application/octet-stream", "image/svg+xml", "text/plain", "text/xml;charset=utf-8"}
	m := request()
	var parts []ebms.Part
	for i, kind := range types {
		id := fmt.Sprintf("p%d@ap.example.eu", i)
		m.Parts = append(m.Parts, ebms.PartInfo{ContentID: id})
		parts = append(parts, ebms.Part{ID: id, Type: kind, Content: ebms.Bytes(content)})
	}
	messaging, err := (&ebms.Header{User: m}).Encode("m")
	if err != nil {
		t.Fatal(err)
	}
	bst := encode64(people().a.Sign.Cert().Raw)
	envelope := `<soap:Envelope xmlns:soap="` + ebms.SOAP + `" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:unseen="urn:unseen">
  <soap:Header>
    ` + strings.Replace(string(messaging), "<eb:UserMessage>", "\n    <eb:UserMessage>", 1) + `
    <sec:Security xmlns:sec="` + ebms.WSSE + `" xmlns:u="` + ebms.WSU + `" soap:mustUnderstand="true">
      <sec:BinarySecurityToken EncodingType="` + base64Binary + `" ValueType="` + x509v3 + `" u:Id="X">` + bst[:76] + "\n" + bst[76:] + `</sec:BinarySecurityToken>
    </sec:Security>
  </soap:Header>
  <soap:Body xmlns:u="` + ebms.WSU + `" u:Id="b"/>
</soap:Envelope>`
	out := filepath.Join(t.TempDir(), "signed.xml")
	args := []string{"SwA", "sign", store(t, []byte(envelope)), store(t, key), out}
	for i, p := range parts {
		args = append(args, ebms.CID(p.ID), types[i], store(t, content))
	}
	if said := java(t, args...); said != "signed\n" {
		t.Fatalf("the JDK says:\n%s", said)
	}
	signed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	r := bob()
	r.encrypted = false
	got, err := r.take(&wire{envelope: string(signed), parts: parts})
	if err != nil {
		t.Fatalf("%v\n%s", err, signed)
	}
	checkReceipt(t, signed, got.v, m.MessageID)
	if _, err := r.take(&wire{envelope: strings.Replace(string(signed), "XX-4711", "XX-0666", 1), parts: parts}); ebms.CodeOf(err) != ebms.FailedAuthentication {
		t.Error("changed header:", err)
	}
}

func santuario(t *testing.T) {
	t.Helper()
	for _, j := range santuarioJars {
		_, err := os.Stat(filepath.Join(jarFolder, j))
		needs(t, err == nil, filepath.Join(jarFolder, j)+" (Debian: libxml-security-java)")
	}
}

func TestSantuarioOpensWhatWeEncrypt(t *testing.T) {
	tool(t, "javac")
	santuario(t)
	w := usual(t)
	key, err := x509.MarshalPKCS8PrivateKey(people().b.Encrypt.Key)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"Santuario", "open", store(t, []byte(w.envelope)), store(t, key)}
	var outs []string
	for _, p := range w.parts {
		b, err := io.ReadAll(p.Content.NewReader())
		if err != nil {
			t.Fatal(err)
		}
		outs = append(outs, filepath.Join(t.TempDir(), "clear"))
		args = append(args, store(t, b), outs[len(outs)-1])
	}
	if out := java(t, args...); out != "unwrapped 16\n" {
		t.Fatalf("Santuario says:\n%s", out)
	}
	_, parts := usualParts(t)
	for i, p := range parts {
		want, _ := ebms.ReadAll(p.Content)
		got, err := os.ReadFile(outs[i])
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("part %d is not what was encrypted (%v)", i, err)
		}
	}
}

// A message key wrapped by Santuario, as WSS4J does it, opens here.
func TestWeOpenWhatSantuarioEncrypts(t *testing.T) {
	tool(t, "javac")
	santuario(t)
	w := usual(t)
	_, clear := usualParts(t)
	ek := filepath.Join(t.TempDir(), "ek.xml")
	args := []string{"Santuario", "wrap", store(t, people().b.Encrypt.Cert().Raw), ek}
	var outs []string
	for _, p := range clear {
		b, _ := ebms.ReadAll(p.Content)
		outs = append(outs, filepath.Join(t.TempDir(), "sealed"))
		args = append(args, store(t, b), outs[len(outs)-1])
	}
	if out := java(t, args...); out != "wrapped\n" {
		t.Fatalf("Santuario says:\n%s", out)
	}
	theirs, err := os.ReadFile(ek)
	if err != nil {
		t.Fatal(err)
	}
	pick := func(text, element string) string {
		return regexp.MustCompile(`(?s)<xenc:` + element + `[ >].*</xenc:` + element + `>`).FindString(text)
	}
	for _, e := range []string{"CipherValue", "EncryptionMethod"} {
		ours := pick(w.between(t, "<xenc:EncryptedKey", "</xenc:EncryptedKey>"), e)
		their := pick(string(theirs), e)
		if ours == "" || their == "" {
			t.Fatalf("no %s in\n%s", e, theirs)
		}
		w.replace(t, ours, their)
	}
	for i := range w.parts {
		b, err := os.ReadFile(outs[i])
		if err != nil {
			t.Fatal(err)
		}
		w.parts[i].Content = ebms.Bytes(b)
	}
	got, err := bob().take(w)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.parts[0], document) || !bytes.Equal(got.parts[1], picture) {
		t.Error("not what Santuario encrypted")
	}
}

func TestXmlsec1VerifiesOurSignals(t *testing.T) {
	xmlsec := tool(t, "xmlsec1")
	cert := store(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: people().b.Sign.Cert().Raw}))
	verify := func(envelope []byte) ([]byte, error) {
		return exec.Command(xmlsec, "--verify", "--pubkey-cert-pem", cert,
			"--id-attr:Id", ebms.NS+":Messaging", "--id-attr:Id", ebms.SOAP+":Body", store(t, envelope)).CombinedOutput()
	}
	m, parts := usualParts(t)
	signed, err := (&Signer{Identity: people().a.Sign}).Sign(&ebms.Header{User: m}, parts)
	if err != nil {
		t.Fatal(err)
	}
	env, err := ebms.ReadEnvelope(signed.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(env, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	ping := request()
	ping.Test()
	for _, prefixes := range []bool{false, true} {
		for name, h := range map[string]*ebms.Header{
			"receipt": {Signal: &ebms.SignalMessage{Timestamp: morning, MessageID: "r1@x", RefToMessageID: m.MessageID, Receipt: v.Receipt()}},
			"error":   {Signal: &ebms.SignalMessage{Timestamp: morning, MessageID: "e1@x", RefToMessageID: m.MessageID, Errors: []*ebms.Error{ebms.Errorf(ebms.Other, nil, "<why> & \"what\"")}}},
			"ping":    {User: ping},
		} {
			s, err := (&Signer{Identity: people().b.Sign, PrefixList: prefixes}).Sign(h, nil)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := verify(s.Envelope); err != nil {
				t.Errorf("%s, PrefixList %v: %v\n%s", name, prefixes, err, out)
			}
			if _, err := verify(bytes.Replace(s.Envelope, []byte("2026-09-01T08"), []byte("2026-09-01T09"), 1)); err == nil {
				t.Errorf("%s: xmlsec1 accepts a changed message", name)
			}
		}
	}
}

// C14N of every captured envelope and of ours equals that of xmllint.
func TestCanonicalFormEqualsXmllint(t *testing.T) {
	xmllint := tool(t, "xmllint")
	envelopes := map[string][]byte{"our own": []byte(usual(t).envelope)}
	if dir, err := filepath.Abs("../../../shared/samples/as4"); err == nil {
		files, _ := filepath.Glob(filepath.Join(dir, "*.as4*"))
		for _, f := range files {
			_, envelopes[filepath.Base(f)] = capture(t, f)
		}
	}
	for name, raw := range envelopes {
		want, err := exec.Command(xmllint, "--nonet", "--exc-c14n", store(t, raw)).Output()
		if err != nil {
			t.Fatal(err)
		}
		env, err := ebms.ReadEnvelope(raw)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := env.Document.Canonical(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: differs from xmllint", name)
		}
	}
}
