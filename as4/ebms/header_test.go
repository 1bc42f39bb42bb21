package ebms

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// reread puts a header into an envelope, reads it back and checks that what
// was written already was canonical.
func reread(t interface {
	Helper()
	Fatalf(string, ...any)
}, h *Header) *Header {
	t.Helper()
	m, err := h.Encode("m1")
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	env, err := ReadEnvelope(BuildEnvelope(m, nil, EmptyBody("b1")))
	if err != nil {
		t.Fatalf("read: %v\n%s", err, m)
	}
	var c bytes.Buffer
	if err := env.Messaging.Canonical(&c, "env"); err != nil || !bytes.Equal(c.Bytes(), m) {
		t.Fatalf("not canonical (%v):\n%s\n%s", err, m, c.Bytes())
	}
	c.Reset()
	if err := env.Body.Canonical(&c); err != nil || !bytes.Equal(c.Bytes(), EmptyBody("b1")) {
		t.Fatalf("the Body is not canonical (%v):\n%s", err, c.Bytes())
	}
	got, err := env.Decode()
	if err != nil {
		t.Fatalf("decode: %v\n%s", err, m)
	}
	return got
}

func TestUserMessageRoundTrip(t *testing.T) {
	text := rapid.StringMatching(`[!-~]([ -~äλ€😀\t\n\r]{0,12}[!-~])?`)
	token := rapid.StringMatching(`[!-~äλ€]{1,20}`)
	maybe := func(g *rapid.Generator[string]) *rapid.Generator[string] { return rapid.OneOf(rapid.Just(""), g) }
	msgID := rapid.StringMatching(`[a-zA-Z0-9&"'=+-]{1,30}@[a-z.]{1,20}`)
	property := rapid.Custom(func(t *rapid.T) Property {
		return Property{Name: text.Draw(t, "name"), Type: maybe(text).Draw(t, "type"), Value: text.Draw(t, "value")}
	})
	party := rapid.Custom(func(t *rapid.T) Party {
		return Party{ID: PartyID{maybe(text).Draw(t, "type"), text.Draw(t, "id")}, Role: text.Draw(t, "role")}
	})
	rapid.Check(t, func(t *rapid.T) {
		m := &UserMessage{
			MPC:       maybe(token).Draw(t, "mpc"),
			Timestamp: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC(),
			MessageID: msgID.Draw(t, "id"), RefToMessageID: maybe(msgID).Draw(t, "ref"),
			From: party.Draw(t, "from"), To: party.Draw(t, "to"),
			Service: Service{maybe(text).Draw(t, "type"), text.Draw(t, "service")},
			Action:  token.Draw(t, "action"), ConversationID: token.Draw(t, "conversation"),
		}
		if rapid.Bool().Draw(t, "agreement") {
			m.Agreement = &Agreement{maybe(text).Draw(t, "type"), maybe(text).Draw(t, "pmode"), text.Draw(t, "value")}
		}
		m.Properties = rapid.SliceOfN(property, 0, 4).Draw(t, "properties")
		if len(m.Properties) == 0 {
			m.Properties = nil
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "parts") {
			m.Parts = append(m.Parts, PartInfo{
				ContentID:  fmt.Sprintf("%s-%d@x", rapid.StringMatching(`[a-z%+&']{1,5}`).Draw(t, "cid"), i),
				Properties: []Property{{Name: MimeType, Value: text.Draw(t, "mime")}},
			})
		}
		got := reread(t, &Header{User: m})
		if diff := cmp.Diff(m, got.User); diff != "" {
			t.Fatalf("not what was written: %s", diff)
		}
	})
}

func TestErrorSignalsWithEveryCode(t *testing.T) {
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for code, k := range Kinds {
		if k.Short == "" || k.Category == "" || k.Origin == "" {
			t.Errorf("%s: %+v", code, k)
		}
		e := Errorf(code, os.ErrInvalid, "what <was> wrong & why")
		e.RefToMessageID = "1@x"
		got := reread(t, &Header{Signal: &SignalMessage{Timestamp: at, MessageID: "2@x", RefToMessageID: "1@x", Errors: []*Error{e, e}}})
		s := got.Signal
		if s == nil || len(s.Errors) != 2 || s.RefToMessageID != "1@x" {
			t.Fatalf("%s: %+v", code, s)
		}
		want := &Error{Code: code, Detail: "what <was> wrong & why", RefToMessageID: "1@x", Warning: k.Warning}
		if diff := cmp.Diff(want, s.Errors[1]); diff != "" {
			t.Errorf("%s: %s", code, diff)
		}
	}
}

func TestTimestampsInTheWild(t *testing.T) {
	for in, want := range map[string]string{
		"2026-09-01T08:15:30.250Z":          "2026-09-01T08:15:30.250Z",
		"2026-09-01T10:15:30+02:00":         "2026-09-01T08:15:30.000Z",
		"2026-09-01T08:15:30.1234567Z":      "2026-09-01T08:15:30.123Z",
		"2026-09-01T08:15:30.123456789012Z": "2026-09-01T08:15:30.123Z",
		"2026-09-01T08:15:30":               "2026-09-01T08:15:30.000Z",
		"2026-09-01":                        "",
		"2026-02-30T08:15:30Z":              "",
		"yesterday":                         "",
	} {
		d := &decoder{}
		got := d.time(in)
		if want == "" != (d.err != nil) || d.err == nil && stamp(got) != want {
			t.Errorf("%s: %v %v", in, stamp(got), d.err)
		}
	}
}

func TestContentIDs(t *testing.T) {
	for in, want := range map[string]string{
		"cid:a@b": "a@b", "CID:a@b": "a@b", " cid:a%40b ": "a@b", "cid:a%25b@c": "a%b@c",
	} {
		if got, err := ParseCID(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
		if again, err := ParseCID(CID(want)); err != nil || again != want {
			t.Errorf("%q: %q %v", want, again, err)
		}
	}
	for in, want := range map[string]Code{
		"": ExternalPayloadError, "http://x/y": ExternalPayloadError, "#body": ExternalPayloadError, "a@b": ExternalPayloadError,
		"cid:": MimeInconsistency, "cid:%zz": MimeInconsistency, "cid:a b": MimeInconsistency, "cid:%00": MimeInconsistency,
		"cid:" + strings.Repeat("x", 300): MimeInconsistency,
	} {
		if _, err := ParseCID(in); CodeOf(err) != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

func TestPropertySets(t *testing.T) {
	two := []Property{{Name: OriginalSender, Value: "a"}, {Name: FinalRecipient, Value: "b"}}
	four := append(two[:2:2], Property{Name: ExchangeID, Value: "c"}, Property{Name: SpecificationID, Value: "d"})
	for _, c := range []struct {
		name string
		set  PropertySet
		ps   []Property
		want Code
	}{
		{"line 1", FourCorner, two, ""},
		{"line 2", FourCornerTwo, four, ""},
		{"line 2 at line 1", FourCorner, four, ProcessingModeMismatch},
		{"line 1 at line 2", FourCornerTwo, two, ProcessingModeMismatch},
		{"one missing", FourCorner, two[:1], ProcessingModeMismatch},
		{"one twice", FourCorner, append(two[:2:2], two[0]), BadProperties},
		{"other case", FourCorner, []Property{{Name: "ORIGINALSENDER"}, two[1]}, ""},
		{"other case twice", FourCorner, append(two[:2:2], Property{Name: "FinalRECIPIENT"}), BadProperties},
		{"none at all", nil, nil, ""},
		{"none allowed", nil, two, ProcessingModeMismatch},
	} {
		err := c.set.Check(c.ps)
		if CodeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if e, _ := err.(*Error); e != nil && e.Warning {
			t.Errorf("%s: refused with a warning", c.name)
		}
	}
}

func TestReceiptMustMatch(t *testing.T) {
	sent := []Reference{{URI: "#b", Digest: "AA=="}, {URI: "#m", Digest: "BB=="}, {URI: "cid:p@x", Digest: "CC=="}}
	signal := func(refs ...Reference) *SignalMessage {
		return &SignalMessage{RefToMessageID: "1@x", Receipt: &Receipt{References: refs}}
	}
	other := sent[2]
	other.Digest = "DD=="
	for _, c := range []struct {
		name string
		s    *SignalMessage
		ok   bool
	}{
		{"as sent", signal(sent...), true},
		{"other order", signal(sent[2], sent[0], sent[1]), true},
		{"one missing", signal(sent[:2]...), false},
		{"one too many", signal(append(sent[:3:3], Reference{URI: "cid:q@x", Digest: "CC=="})...), false},
		{"other digest", signal(sent[0], sent[1], other), false},
		{"one twice instead of another", signal(sent[0], sent[1], sent[1]), false},
		{"reception awareness only", signal(), false},
		{"for another message", &SignalMessage{RefToMessageID: "2@x", Receipt: &Receipt{References: sent}}, false},
		{"an error", &SignalMessage{RefToMessageID: "1@x", Errors: []*Error{{Code: Other}}}, false},
		{"nothing", nil, false},
	} {
		if err := MatchReceipt(sent, c.s, "1@x"); (err == nil) != c.ok || err != nil && CodeOf(err) != InvalidReceipt {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSchemaOfTheHeader(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("OOTS_TEST_ALL") == "1" {
			t.Fatal("xmllint is missing")
		}
		t.Skip("xmllint is not installed")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	schemas := filepath.Join(root, "..", "..", "..", "shared", "samples", "schemas")
	if _, err := os.Stat(schemas); err != nil {
		t.Skip("../shared/samples is not here")
	}
	// A driver brings the parts that the published schema imports without
	// saying from where.
	dir := t.TempDir()
	header, err := os.ReadFile(filepath.Join(schemas, "ebms3", "ebms-header-3_0-200704.xsd"))
	if err != nil {
		t.Fatal(err)
	}
	header = bytes.Replace(header, []byte(`namespace="http://www.w3.org/XML/1998/namespace"`), []byte(`namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="`+filepath.Join(schemas, "xml.xsd")+`"`), 1)
	header = bytes.Replace(header, []byte(`schemaLocation="soap12.xsd"`), []byte(`schemaLocation="`+filepath.Join(schemas, "ebms3", "soap12.xsd")+`"`), 1)
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("soap11.xsd", `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://schemas.xmlsoap.org/soap/envelope/"><xs:attribute name="mustUnderstand" type="xs:boolean"/></xs:schema>`)
	schema := write("header.xsd", string(header))

	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	user := &UserMessage{
		MPC: DefaultMPC, Timestamp: at, MessageID: "1@x", RefToMessageID: "0@x",
		From: Party{PartyID{"urn:t", "A"}, Initiator}, To: Party{PartyID{"", "B"}, Responder},
		Agreement: &Agreement{"t", "p", "v"}, Service: Service{"t", "s"}, Action: "a", ConversationID: "c",
		Properties: []Property{{OriginalSender, "t", "v"}}, Parts: []PartInfo{{"p@x", []Property{{MimeType, "", "a/b"}}}},
	}
	ref := Reference{URI: "#b", Digest: "AA==", XML: `<ds:Reference xmlns:ds="` + DS + `" URI="#b"></ds:Reference>`}
	for name, h := range map[string]*Header{
		"user":    {User: user},
		"receipt": {Signal: &SignalMessage{Timestamp: at, MessageID: "2@x", RefToMessageID: "1@x", Receipt: &Receipt{References: []Reference{ref}}}},
		"errors":  {Signal: &SignalMessage{Timestamp: at, MessageID: "3@x", Errors: []*Error{Errorf(Other, nil, "why"), Errorf(FailedDecryption, nil, "")}}},
	} {
		m, err := h.Encode("m1")
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(xmllint, "--nonet", "--noout", "--schema", schema, write(name+".xml", string(m))).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %s\n%s", name, out, m)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	user := &UserMessage{Timestamp: at, MessageID: "1@x", From: Party{PartyID{"t", "A"}, "r"}, To: Party{PartyID{"t", "B"}, "r"},
		Service: Service{"t", "s"}, Action: "a", ConversationID: "c", Properties: []Property{{"n", "t", "v"}}, Parts: []PartInfo{{"p@x", []Property{{MimeType, "", "a/b"}}}}}
	ref := Reference{URI: "#b", Digest: "AA==", XML: `<ds:Reference xmlns:ds="` + DS + `" URI="#b"><ds:DigestValue>AA==</ds:DigestValue></ds:Reference>`}
	for _, h := range []*Header{{User: user}, {Signal: &SignalMessage{Timestamp: at, MessageID: "2@x", Receipt: &Receipt{References: []Reference{ref}}}}, {Signal: &SignalMessage{Timestamp: at, MessageID: "3@x", Errors: []*Error{Errorf(Other, nil, "why")}}}} {
		m, err := h.Encode("m")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(BuildEnvelope(m, nil, EmptyBody("b")))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, err := ReadEnvelope(raw)
		if err != nil {
			return
		}
		h, err := env.Decode()
		if err != nil {
			return
		}
		// What was understood is written and understood as the same.
		m, err := h.Encode("m")
		if err != nil {
			return // a plain receipt, or a value that we would not write
		}
		again, err := ReadEnvelope(BuildEnvelope(m, nil, EmptyBody("b")))
		if err != nil {
			t.Fatalf("%v\n%s", err, m)
		}
		h2, err := again.Decode()
		if err != nil {
			t.Fatalf("%v\n%s", err, m)
		}
		m2, err := h2.Encode("m")
		if err != nil || !bytes.Equal(m, m2) {
			t.Fatalf("%v\n%s\n%s", err, m, m2)
		}
	})
}
