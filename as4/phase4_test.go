package as4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
)

// The fixtures of testdata/phase4 are one run of TestPhase4 with
// OOTS_PHASE4=record: what travelled, with its media type, and the throw-away
// keys that open it.
const phase4Fixtures = "testdata/phase4"

// exchangeFile is the name of one recorded half of an exchange.
func exchangeFile(name, half string) string {
	return filepath.Join(phase4Fixtures, name+"."+half+".as4")
}

// recorder keeps the exchanges of a run by name.
type recorder struct {
	mu    sync.Mutex
	name  string // of the exchange under way
	kept  map[string][]byte
	inner http.RoundTripper
}

func (r *recorder) keep(half, contentType string, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[exchangeFile(r.name, half)] = fmt.Appendf(nil, "Content-Type: %s\r\n\r\n%s", contentType, body)
}

// RoundTrip records what we push and the answer.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := r.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(got))
	r.keep("message", req.Header.Get("Content-Type"), sent)
	r.keep("receipt", resp.Header.Get("Content-Type"), got)
	return resp, err
}

// serve records what is pushed to h and its answer.
func (r *recorder) serve(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sent, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(sent))
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, req)
		r.keep("message", req.Header.Get("Content-Type"), sent)
		r.keep("receipt", answer.Header().Get("Content-Type"), answer.Body.Bytes())
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	})
}

// startPhase4 builds the endpoint of interop/phase4 with Maven and starts it.
func startPhase4(t *testing.T, keys string) (address string) {
	t.Helper()
	dir := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("mvn", "-B", "-q", "-f", "interop/phase4/pom.xml", "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(dir, "lib"))
	run("javac", "-d", dir, "-cp", filepath.Join(dir, "lib", "*"), "interop/phase4/src/main/java/Endpoint.java")
	cmd := exec.Command("java", "-cp", dir+":"+filepath.Join(dir, "lib", "*"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "Endpoint", keys)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // it ends by itself
		cmd.Wait()
		if t.Failed() {
			t.Logf("phase4 said:\n%s", said.Bytes()[:min(said.Len(), 8000)])
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if port, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
			return "http://127.0.0.1:" + port
		}
	}
	cmd.Wait()
	t.Fatalf("phase4 does not start:\n%s", said.Bytes())
	return ""
}

// phase4File is the second part that the endpoint sends.
func phase4File() []byte {
	b := make([]byte, 20_000)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

// besidePhase4 is our end, which knows phase4 as AP_PT_01.
func besidePhase4(t *testing.T, fi *pki.Party, pt *x509.Certificate, address string, client *http.Client, now func() time.Time) *endpoint {
	t.Helper()
	sets, err := as4.PropertySets("oots-edm:v1.2", "oots-edm:v2.0")
	if err != nil {
		t.Fatal(err)
	}
	mode := &as4.PMode{Self: as4.Partner{ID: partyID("AP_FI_01")}, Legs: as4.OOTSLegs(), Partners: []*as4.Partner{
		{Name: "pt", ID: partyID("AP_PT_01"), URL: address + "/as4", Sign: []*x509.Certificate{pt}, Encrypt: pt, Properties: sets}}}
	e := &endpoint{name: "AP_FI_01", store: &as4.Memory{}}
	e.AccessPoint, err = as4.New(as4.Config{PMode: mode, Sign: fi.Sign, Decrypt: []*pki.Identity{fi.Encrypt}, Store: e.store, Files: e.store,
		Spool: ebms.Disk{Dir: t.TempDir()}, Handler: e, Domain: "fi.example", Client: client, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPhase4 exchanges messages with an access point made of phase4's published
// library, in both directions: signed, encrypted, compressed, each receipt
// verified by the other side. It needs Maven, a JDK and the artefacts, so it
// runs with OOTS_PHASE4=1 only; OOTS_PHASE4=record renews the fixtures.
func TestPhase4(t *testing.T) {
	how := os.Getenv("OOTS_PHASE4")
	if how == "" {
		t.Skip("OOTS_PHASE4=1 runs it; it needs mvn, a JDK 17 and a registry of Java packages")
	}
	ca, err := pki.NewCA(pki.CAConfig{Lifetime: 20 * 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := ca.Party("AP_FI_01", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ca.Party("AP_PT_01", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	keys := t.TempDir()
	put := func(dir, name string, data []byte) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cert := func(c *x509.Certificate) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	identity := func(i *pki.Identity) []byte {
		text, err := i.PEM()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	put(keys, "own.pem", identity(theirs.Sign))
	put(keys, "ca.pem", cert(ca.Cert()))
	put(keys, "partner-sign.pem", cert(ours.Sign.Cert()))
	put(keys, "partner-encrypt.pem", cert(ours.Encrypt.Cert()))

	address := startPhase4(t, keys)
	record := &recorder{kept: map[string][]byte{}, inner: http.DefaultTransport}
	fi := besidePhase4(t, ours, theirs.Sign.Cert(), address, &http.Client{Transport: record, Timeout: time.Minute}, time.Now)
	server := httptest.NewServer(record.serve(fi.AccessPoint))
	t.Cleanup(server.Close)
	get := func(method, path, body string) string {
		t.Helper()
		req, err := http.NewRequest(method, address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(said)
	}

	pdf := bytes.Repeat([]byte("%PDF evidence "), 1500)
	for _, c := range []struct{ name, action string }{{"to-phase4", as4.ActionRequest}, {"to-phase4-plain", as4.ActionResponse}} {
		record.name = c.name
		m := request()
		m.Action = c.action
		id, err := fi.Submit(context.Background(), m, []as4.Part{xmlPart("<query:QueryRequest/>"), {Type: "application/pdf", Content: ebms.Bytes(pdf)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fi.SendDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		out, tries, _ := fi.store.Sent(context.Background(), id)
		if out.State != as4.Acknowledged {
			t.Fatalf("%s: %s after %+v\n%s", c.name, out.State, tries, record.kept[exchangeFile(c.name, "receipt")])
		}
		want := fmt.Sprintf("%s signed=true decrypted=true %x %x", id, sha256.Sum256([]byte("<query:QueryRequest/>")), sha256.Sum256(pdf))
		if got := get("GET", "/received", ""); !strings.Contains(got, want) {
			t.Errorf("%s: phase4 received\n%swant\n%s", c.name, got, want)
		}
	}

	record.name = "ping-phase4"
	if p, err := fi.Ping(context.Background(), fi.PMode.Named("pt"), "AP_FI_01", "AP_PT_01"); err != nil || p.Code != "" {
		t.Errorf("a ping of phase4 gives %+v, %v", p, err)
	}

	// For want of the right key phase4 refuses; its error settles nothing unless
	// it is signed.
	record.name = "refused-by-phase4"
	right := fi.PMode.Partners[0].Encrypt
	fi.PMode.Partners[0].Encrypt = ours.Encrypt.Cert()
	id, err := fi.Submit(context.Background(), request(), []as4.Part{xmlPart("<a/>")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fi.SendDue(context.Background()); err != nil {
		t.Fatal(err)
	}
	fi.PMode.Partners[0].Encrypt = right
	if out, tries, _ := fi.store.Sent(context.Background(), id); out.State == as4.Acknowledged || tries[0].Code == ebms.MissingReceipt {
		t.Errorf("a refused message is %s after %+v", out.State, tries)
	} else {
		t.Logf("phase4 refuses with %+v; the message is %s", tries[0], out.State)
	}

	record.name = "from-phase4"
	if got := get("POST", "/send", server.URL+"/as4"); got != "SUCCESS signal-signed=true references=valid\n" {
		t.Fatalf("phase4 sends and says %q", got)
	}
	checkFromPhase4(t, fi)

	if how == "record" && !t.Failed() {
		for name, content := range record.kept {
			put(phase4Fixtures, filepath.Base(name), content)
		}
		put(phase4Fixtures, "fi-sign.pem", cert(ours.Sign.Cert()))
		put(phase4Fixtures, "fi-encrypt.pem", identity(ours.Encrypt))
		put(phase4Fixtures, "pt-own.pem", identity(theirs.Sign))
	}
}

// checkFromPhase4 wants the message that the endpoint sends, as it was.
func checkFromPhase4(t *testing.T, fi *endpoint) {
	t.Helper()
	if len(fi.got) != 1 {
		t.Fatalf("%d messages arrived from phase4", len(fi.got))
	}
	got := fi.got[0]
	if len(got.parts) != 2 || !strings.Contains(string(got.parts[0]), "Lisboa, São João") || got.types[0] != "application/xml" ||
		!bytes.Equal(got.parts[1], phase4File()) || got.types[1] != "application/pdf" {
		t.Errorf("the parts of phase4 arrived as %v, %q", got.types, got.parts[0])
	}
	if h := got.header; h.From.ID != partyID("AP_PT_01") || h.Action != as4.ActionRequest || h.Property(ebms.OriginalSender) != "register" {
		t.Errorf("the header of phase4 arrived as %+v", h)
	}
}

// recorded reads one half of a recorded exchange.
func recorded(t *testing.T, name, half string) (contentType string, body []byte) {
	t.Helper()
	all, err := os.ReadFile(exchangeFile(name, half))
	if err != nil {
		t.Fatal(err)
	}
	head, body, ok := bytes.Cut(all, []byte("\r\n\r\n"))
	contentType, typed := strings.CutPrefix(string(head), "Content-Type: ")
	if !ok || !typed {
		t.Fatalf("%s %s has no Content-Type", name, half)
	}
	return contentType, body
}

func readIdentity(t *testing.T, name string) []pki.Entry {
	t.Helper()
	entries, err := pki.ReadFile(filepath.Join(phase4Fixtures, name), "")
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestRecordedPhase4 is the recorded run without Java: our access point takes
// the message that phase4 sent, and accepts the receipts that phase4 gave.
func TestRecordedPhase4(t *testing.T) {
	ours := &pki.Party{Name: "AP_FI_01", Sign: pki.Identities(readIdentity(t, "pt-own.pem"))[0], Encrypt: pki.Identities(readIdentity(t, "fi-encrypt.pem"))[0]}
	theirs := ours.Sign.Cert()
	contentType, body := recorded(t, "from-phase4", "message")
	now := ours.Encrypt.Cert().NotBefore.Add(2 * time.Hour)
	fi := besidePhase4(t, ours, theirs, "http://127.0.0.1:1", nil, func() time.Time { return now })

	push := func(body []byte) *ebms.Header {
		req := httptest.NewRequest(http.MethodPost, "/as4", bytes.NewReader(body))
		req.Header.Set("Content-Type", contentType)
		answer := httptest.NewRecorder()
		fi.ServeHTTP(answer, req)
		env, err := ebms.ReadEnvelope(answer.Body.Bytes())
		if err != nil {
			t.Fatalf("the answer to phase4: %v", err)
		}
		h, err := env.Decode()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h := push(body); h.Signal == nil || h.Signal.Receipt == nil || len(h.Signal.Receipt.References) != 4 {
		t.Fatalf("phase4's message is answered with %+v", h.Signal)
	}
	checkFromPhase4(t, fi)
	if h := push(body); h.Signal.Receipt == nil || len(fi.got) != 1 {
		t.Errorf("its repetition is delivered %d times", len(fi.got))
	}
	spoilt := bytes.Clone(body)
	spoilt[len(spoilt)-300] ^= 1 // in the encrypted part
	fi.store, fi.got = &as4.Memory{}, nil
	fi.AccessPoint.Store = fi.store
	if h := push(spoilt); len(h.Signal.Errors) != 1 || h.Signal.Errors[0].Code != ebms.FailedDecryption || len(fi.got) != 0 {
		t.Errorf("a spoilt part is answered with %+v", h.Signal)
	}

	for _, name := range []string{"to-phase4", "to-phase4-plain", "ping-phase4"} {
		t.Run(name, func(t *testing.T) {
			receipt, answering := replay(t, fi, name)
			if out := answering(receipt); out.State != as4.Acknowledged || !bytes.Equal(out.Receipt, receipt) {
				t.Errorf("phase4's receipt leaves the message %s", out.State)
			}
			if out := answering(bytes.Replace(receipt, []byte("DigestValue>"), []byte("DigestValue>A"), 1)); out.State != as4.Queued {
				t.Errorf("an altered receipt leaves the message %s", out.State)
			}
		})
	}
	refusal, answering := replay(t, fi, "refused-by-phase4")
	if out := answering(refusal); out.State != as4.Undelivered || out.Code != ebms.FailedDecryption {
		t.Errorf("phase4's signed refusal leaves the message %s %s", out.State, out.Code)
	}
	if out := answering(bytes.Replace(refusal, []byte("EBMS:0102"), []byte("EBMS:0001"), 1)); out.State != as4.Queued {
		t.Errorf("an altered refusal leaves the message %s", out.State)
	}
}

// replay is what phase4 answered to a recorded push, and a function that queues
// what was sent, answers it, and tells where that leaves the message.
func replay(t *testing.T, fi *endpoint, name string) (answered []byte, answering func(answer []byte) as4.Outgoing) {
	t.Helper()
	sentType, sent := recorded(t, name, "message")
	receiptType, answered := recorded(t, name, "receipt")
	r, err := ebms.NewReader(bytes.NewReader(sent), sentType, ebms.Limits{}, ebms.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	root, err := r.Root()
	if err != nil {
		t.Fatal(err)
	}
	env, err := ebms.ReadEnvelope(root)
	if err != nil {
		t.Fatal(err)
	}
	h, err := env.Decode()
	if err != nil {
		t.Fatal(err)
	}
	return answered, func(receipt []byte) as4.Outgoing {
		t.Helper()
		store := &as4.Memory{}
		fi.AccessPoint.Store = store
		fi.AccessPoint.Client = &http.Client{Transport: answers(func(*http.Request) *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {receiptType}}, Body: io.NopCloser(bytes.NewReader(receipt))}
		})}
		if err := store.Enqueue(context.Background(), as4.Outgoing{MessageID: h.User.MessageID, To: h.User.To.ID, Envelope: root, State: as4.Queued}); err != nil {
			t.Fatal(err)
		}
		if _, err := fi.SendDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		out, _, err := store.Sent(context.Background(), h.User.MessageID)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// answers is an http.RoundTripper without a network.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return a(r), err
}
