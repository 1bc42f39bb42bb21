package as4_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
)

// endpoint is an access point with the corner behind it.
type endpoint struct {
	*as4.AccessPoint
	name   string
	server *httptest.Server
	store  *as4.Memory

	mu       sync.Mutex
	got      []delivered
	settled  []as4.Outgoing
	deliver  func(m *as4.Message) error      // asked before it is kept
	later    func(ctx context.Context) error // done last in the delivery, set by deliver
	consume  func(c ebms.Content) error      // instead of reading a part into memory
	wire     func(h http.Handler) http.Handler
	accesses int
}

type delivered struct {
	header ebms.UserMessage
	parts  [][]byte
	types  []string
}

func (e *endpoint) Deliver(ctx context.Context, m *as4.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deliver != nil {
		if err := e.deliver(m); err != nil {
			return err
		}
	}
	d := delivered{header: *m.Header}
	for _, p := range m.Parts {
		if e.consume != nil {
			if err := e.consume(p.Content); err != nil {
				return err
			}
			continue
		}
		b, err := io.ReadAll(p.Content.NewReader())
		if err != nil {
			return err
		}
		d.parts, d.types = append(d.parts, b), append(d.types, p.Type)
	}
	e.got = append(e.got, d)
	if e.later != nil {
		return e.later(ctx)
	}
	return nil
}

func (e *endpoint) Settled(_ context.Context, m as4.Outgoing) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settled = append(e.settled, m)
	return nil
}

// clock is a virtual clock that several endpoints share.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func partyID(name string) ebms.PartyID { return ebms.PartyID{Type: as4.OOTSPartyType, Value: name} }

var parties = sync.OnceValues(func() (map[string]*pki.Party, error) {
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		return nil, err
	}
	made := map[string]*pki.Party{}
	for _, name := range []string{"AP_FI_01", "AP_PT_01", "AP_XX_01"} {
		if made[name], err = ca.Party(name, "127.0.0.1"); err != nil {
			return nil, err
		}
	}
	return made, nil
})

// pair are two access points that know each other, over HTTPS on loopback.
func pair(t testing.TB) (fi, pt *endpoint, at *clock) {
	t.Helper()
	at = &clock{now: time.Now().UTC().Truncate(time.Second)}
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	ends := map[string]*endpoint{}
	for _, name := range []string{"AP_FI_01", "AP_PT_01"} {
		e := &endpoint{name: name, store: &as4.Memory{}}
		e.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e.mu.Lock()
			e.accesses++
			wire := e.wire
			e.mu.Unlock()
			var h http.Handler = e.AccessPoint
			if wire != nil {
				h = wire(h)
			}
			h.ServeHTTP(w, r)
		}))
		e.server.TLS = &tls.Config{Certificates: []tls.Certificate{known[name].TLS.TLS()}, MinVersion: tls.VersionTLS12}
		e.server.StartTLS()
		t.Cleanup(e.server.Close)
		for _, c := range known[name].TLS.Chain[1:] {
			roots.AddCert(c)
		}
		ends[name] = e
	}
	sets, err := as4.PropertySets("oots-edm:v2.0", "oots-edm:v1.2")
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range ends {
		mode := &as4.PMode{Self: as4.Partner{ID: partyID(name)}, Legs: as4.OOTSLegs()}
		for other, o := range ends {
			if other != name {
				mode.Partners = append(mode.Partners, &as4.Partner{Name: strings.ToLower(other[3:5]), ID: partyID(other), URL: o.server.URL + "/as4",
					Sign: []*x509.Certificate{known[other].Sign.Cert()}, Encrypt: known[other].Encrypt.Cert(), Properties: sets})
			}
		}
		client := as4.NewClient(&tls.Config{RootCAs: roots})
		client.Timeout = 20 * time.Second
		e.AccessPoint, err = as4.New(as4.Config{PMode: mode, Sign: known[name].Sign, Decrypt: []*pki.Identity{known[name].Encrypt},
			Store: e.store, Files: e.store, Spool: ebms.Disk{Dir: t.TempDir()}, Handler: e, Domain: strings.ToLower(name) + ".example", Client: client, Now: at.Now})
		if err != nil {
			t.Fatal(err)
		}
	}
	return ends["AP_FI_01"], ends["AP_PT_01"], at
}

// request is an evidence request of line 2.0 from FI to PT.
func request() *ebms.UserMessage {
	return &ebms.UserMessage{To: ebms.Party{ID: partyID("AP_PT_01")}, Service: ebms.Service{Type: as4.BindingType, Value: as4.QueryManager},
		Action: as4.ActionRequest, ConversationID: "11111111-2222-4333-8444-555555555555",
		Properties: []ebms.Property{
			{Name: ebms.OriginalSender, Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:FI", Value: "university"},
			{Name: ebms.FinalRecipient, Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:PT", Value: "register"},
			{Name: ebms.ExchangeID, Value: "11111111-2222-4333-8444-666666666666"}, {Name: ebms.SpecificationID, Value: "oots-edm:v2.0"}}}
}

func xmlPart(text string) as4.Part {
	return as4.Part{Type: "application/x-ebrs+xml", Content: ebms.Bytes(text)}
}

func TestAMessageArrivesAndIsAcknowledged(t *testing.T) {
	fi, pt, _ := pair(t)
	ctx := context.Background()
	pdf := bytes.Repeat([]byte("%PDF evidence "), 20000)
	id, err := fi.Submit(ctx, request(), []as4.Part{xmlPart("<query:QueryRequest/>"), {Type: "application/pdf", Content: ebms.Bytes(pdf)}})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := fi.SendDue(ctx); n != 1 || err != nil {
		t.Fatalf("%d tries, %v", n, err)
	}
	if len(pt.got) != 1 {
		t.Fatalf("%d messages arrived", len(pt.got))
	}
	got := pt.got[0]
	if got.header.MessageID != id || got.header.From.ID != partyID("AP_FI_01") || got.header.ConversationID != request().ConversationID || len(got.header.Properties) != 4 {
		t.Errorf("the header arrived as %+v", got.header)
	}
	if string(got.parts[0]) != "<query:QueryRequest/>" || !bytes.Equal(got.parts[1], pdf) || got.types[1] != "application/pdf" {
		t.Errorf("the parts arrived changed: types %v", got.types)
	}
	out, tries, err := fi.store.Sent(ctx, id)
	if err != nil || out.State != as4.Acknowledged || len(tries) != 1 || tries[0].Status != 200 || tries[0].Code != "" {
		t.Errorf("the message stands as %s after %+v, %v", out.State, tries, err)
	}
	if len(fi.settled) != 1 || fi.settled[0].State != as4.Acknowledged || len(fi.settled[0].Receipt) == 0 {
		t.Errorf("the producer was told %+v", fi.settled)
	}
	if _, err := fi.store.Open(ctx, out.Parts[0].Key); err == nil {
		t.Error("the parts of an acknowledged message are still there")
	}
}

func TestARetryHasIdenticalOctetsAndIsDeliveredOnce(t *testing.T) {
	fi, pt, at := pair(t)
	ctx := context.Background()
	var bodies [][]byte
	pt.wire = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			bodies = append(bodies, envelopeOf(body))
			r.Body = io.NopCloser(bytes.NewReader(body))
			if len(bodies) < 3 { // processed, but the receipt is lost
				h.ServeHTTP(httptest.NewRecorder(), r)
				http.Error(w, "<html>proxy error</html>", http.StatusBadGateway)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	id, err := fi.Submit(ctx, request(), []as4.Part{xmlPart("<a/>")})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := fi.SendDue(ctx); err != nil {
			t.Fatal(err)
		}
		at.add(3 * time.Minute)
	}
	out, tries, _ := fi.store.Sent(ctx, id)
	if out.State != as4.Acknowledged || len(tries) != 3 {
		t.Fatalf("%s after %d tries: %+v", out.State, len(tries), tries)
	}
	if len(pt.got) != 1 {
		t.Errorf("delivered %d times", len(pt.got))
	}
	for i, b := range bodies {
		if !bytes.Equal(b, bodies[0]) {
			t.Errorf("try %d carries another envelope", i+1)
		}
	}
}

// envelopeOf cuts the SOAP envelope out of a multipart body.
func envelopeOf(body []byte) []byte {
	from, to := bytes.Index(body, []byte("<env:Envelope")), bytes.Index(body, []byte("</env:Envelope>"))
	if from < 0 || to < 0 {
		return body
	}
	return body[from:to]
}

func TestSubmittingTwiceDoesNotTouchTheFirst(t *testing.T) {
	fi, pt, _ := pair(t)
	ctx := context.Background()
	m := request()
	m.MessageID = "chosen@fi.example"
	if _, err := fi.Submit(ctx, m, []as4.Part{xmlPart("<first/>")}); err != nil {
		t.Fatal(err)
	}
	if _, err := fi.Submit(ctx, m, []as4.Part{xmlPart("<second/>")}); !errors.Is(err, as4.ErrKnown) {
		t.Fatalf("the same id again gives %v, want ErrKnown", err)
	}
	if _, err := fi.SendDue(ctx); err != nil {
		t.Fatal(err)
	}
	if len(pt.got) != 1 || string(pt.got[0].parts[0]) != "<first/>" {
		t.Errorf("delivered %+v", pt.got)
	}
}

func TestTheProducerIsToldAfterTheLastTry(t *testing.T) {
	fi, pt, at := pair(t)
	pt.server.Close()
	ctx := context.Background()
	if _, err := fi.Submit(ctx, request(), []as4.Part{xmlPart("<a/>")}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	for range 10 {
		n, err := fi.SendDue(ctx)
		if err != nil {
			t.Fatal(err)
		}
		tries += n
		at.add(3 * time.Minute)
	}
	if tries != 5 || len(fi.settled) != 1 || fi.settled[0].State != as4.Undelivered || fi.settled[0].Code != ebms.ConnectionFailure {
		t.Errorf("%d tries, the producer was told %+v; want five tries and EBMS:0005", tries, fi.settled)
	}
}

func TestTheProducerIsToldThatDeliveryFails(t *testing.T) {
	fi, pt, at := pair(t)
	pt.deliver = func(*as4.Message) error { return errors.New("nobody is at home") }
	if _, err := fi.Submit(t.Context(), request(), []as4.Part{xmlPart("<a/>")}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := fi.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		at.add(3 * time.Minute)
	}
	if len(fi.settled) != 1 || fi.settled[0].Code != ebms.MissingReceipt || fi.settled[0].Tries != 5 || len(pt.got) != 0 {
		t.Errorf("the producer was told %+v; want EBMS:0301 after five tries", fi.settled)
	}
}

func TestARefusalIsFinalOnlyWhenSigned(t *testing.T) {
	for _, c := range []struct {
		name string
		wire func(h http.Handler) http.Handler
		want as4.State
		code ebms.Code
	}{
		{"signed by the partner", nil, as4.Undelivered, ebms.ValueNotRecognized},
		{"forged by somebody on the path", func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				h := ebms.Header{Signal: &ebms.SignalMessage{Timestamp: time.Now(), MessageID: "e@x.example", RefToMessageID: "m@x",
					Errors: []*ebms.Error{ebms.Errorf(ebms.Other, nil, "go away")}}}
				messaging, err := h.Encode("m")
				if err != nil {
					panic(err)
				}
				w.Header().Set("Content-Type", "application/soap+xml")
				w.Write(ebms.BuildEnvelope(messaging, nil, ebms.EmptyBody("b")))
			})
		}, as4.Queued, ""},
	} {
		fi, pt, _ := pair(t)
		pt.wire = c.wire
		if c.wire == nil { // the partner does not know this action
			pt.PMode.Legs = pt.PMode.Legs[1:]
		}
		id, err := fi.Submit(context.Background(), request(), []as4.Part{xmlPart("<a/>")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fi.SendDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		if out, tries, _ := fi.store.Sent(context.Background(), id); out.State != c.want || out.Code != c.code {
			t.Errorf("%s: %s %s after %+v, want %s %s", c.name, out.State, out.Code, tries, c.want, c.code)
		}
	}
}

func TestNoReceiptBeforeTheDeliveryIsDurable(t *testing.T) {
	fi, pt, at := pair(t)
	ctx := context.Background()
	full := true
	pt.deliver = func(*as4.Message) error {
		if full {
			return errors.New("disk full")
		}
		return nil
	}
	id, err := fi.Submit(ctx, request(), []as4.Part{xmlPart("<a/>")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fi.SendDue(ctx); err != nil {
		t.Fatal(err)
	}
	out, tries, _ := fi.store.Sent(ctx, id)
	if out.State != as4.Queued || tries[0].Code != ebms.DeliveryFailure {
		t.Fatalf("%s after %+v; want EBMS:0202 and another try", out.State, tries)
	}
	full = false
	at.add(3 * time.Minute)
	if _, err := fi.SendDue(ctx); err != nil {
		t.Fatal(err)
	}
	if out, _, _ := fi.store.Sent(ctx, id); out.State != as4.Acknowledged || len(pt.got) != 1 {
		t.Errorf("%s, delivered %d times", out.State, len(pt.got))
	}
}

func TestAPingIsAcknowledgedAndNotDelivered(t *testing.T) {
	fi, pt, _ := pair(t)
	m := request()
	m.Test()
	id, err := fi.Submit(context.Background(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fi.SendDue(context.Background()); err != nil {
		t.Fatal(err)
	}
	if out, _, _ := fi.store.Sent(context.Background(), id); out.State != as4.Acknowledged || len(pt.got) != 0 {
		t.Errorf("%s, delivered %d times", out.State, len(pt.got))
	}
}

func TestAStrangerIsRefused(t *testing.T) {
	fi, pt, _ := pair(t)
	known, _ := parties()
	// FI's place is taken by somebody with another key.
	fi.AccessPoint.Config.Sign = known["AP_XX_01"].Sign
	forged, err := as4.New(fi.AccessPoint.Config)
	if err != nil {
		t.Fatal(err)
	}
	id, err := forged.Submit(context.Background(), request(), []as4.Part{xmlPart("<a/>")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := forged.SendDue(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, tries, _ := fi.store.Sent(context.Background(), id)
	if len(pt.got) != 0 || len(tries) != 1 || tries[0].Code != ebms.FailedAuthentication {
		t.Errorf("%d messages delivered, tries %+v", len(pt.got), tries)
	}
}

func TestOldAndFutureTimestamps(t *testing.T) {
	for _, c := range []struct {
		age  time.Duration
		want ebms.Code
	}{{0, ""}, {11 * time.Minute, ""}, {48 * time.Hour, ""}, {-4 * time.Minute, ""}, {-6 * time.Minute, ebms.ValueInconsistent}, {366 * 24 * time.Hour, ebms.ValueInconsistent}} {
		fi, _, at := pair(t)
		m := request()
		m.Timestamp = at.Now().Add(-c.age)
		id, err := fi.Submit(context.Background(), m, []as4.Part{xmlPart("<a/>")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fi.SendDue(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, tries, _ := fi.store.Sent(context.Background(), id); tries[0].Code != c.want {
			t.Errorf("a message %s old gives %q, want %q", c.age, tries[0].Code, c.want)
		}
	}
}

// TestNothingPersonalIsLogged looks for header properties, part names and
// payloads in everything that both ends log at the finest level.
func TestNothingPersonalIsLogged(t *testing.T) {
	fi, pt, _ := pair(t)
	var log bytes.Buffer
	var lock sync.Mutex
	logger := slog.New(slog.NewTextHandler(locked{&lock, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	fi.Log, pt.Log = logger, logger
	secret := func(s string) string { return "personal-" + s }
	m := request()
	for i := range m.Properties[:3] {
		m.Properties[i].Value = secret(m.Properties[i].Name)
	}
	part := xmlPart("<Name>" + secret("payload") + "</Name>")
	part.ID = secret("part") + "@fi.example"
	part.Properties = []ebms.Property{{Name: "PayloadName", Value: secret("name")}}
	for _, action := range []string{as4.ActionRequest, as4.ActionException} {
		m.Action = action
		if action == as4.ActionException { // and once refused
			pt.PMode.Legs = pt.PMode.Legs[:1]
		}
		if _, err := fi.Submit(t.Context(), m, []as4.Part{part}); err != nil {
			t.Fatal(err)
		}
		if _, err := fi.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lock.Lock()
	defer lock.Unlock()
	if text := log.String(); strings.Contains(text, "personal-") || !strings.Contains(text, "message received") || !strings.Contains(text, "message refused") {
		t.Errorf("the log says:\n%s", text)
	}
}

// locked is a writer that several goroutines share.
type locked struct {
	lock *sync.Mutex
	io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.Writer.Write(p)
}

func TestOnlyPOST(t *testing.T) {
	_, pt, _ := pair(t)
	resp, err := pt.server.Client().Get(pt.server.URL)
	if err == nil {
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed {
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
	}
	if err != nil && !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}
