package as4_test

import (
	"bytes"
	stdcmp "cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// TestForgedReceipts answers a push with receipts that are not the partner's
// receipt for it: the message stays in the queue, and after the last try its
// producer is told that the receipt is missing (EBMS:0301).
func TestForgedReceipts(t *testing.T) {
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	pt, xx := known["AP_PT_01"].Sign, known["AP_XX_01"].Sign
	signal := func(id *pki.Identity, change func(s *ebms.SignalMessage)) func(s *ebms.SignalMessage) []byte {
		return func(s *ebms.SignalMessage) []byte {
			if change != nil {
				change(s)
			}
			if id == nil {
				messaging, err := (&ebms.Header{Signal: s}).Encode("m")
				if err != nil {
					t.Fatal(err)
				}
				return ebms.BuildEnvelope(messaging, nil, ebms.EmptyBody("b"))
			}
			signer := wssec.Signer{Identity: id}
			signed, err := signer.Sign(&ebms.Header{Signal: s}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return signed.Envelope
		}
	}
	for name, c := range map[string]struct {
		answer func(s *ebms.SignalMessage) []byte // s is the right receipt, unsigned
		kind   string                             // its Content-Type; SOAP when empty
		want   ebms.Code                          // of the try; "" acknowledges
		status int                                // of HTTP; 200 when 0
	}{
		"the right one":                      {signal(pt, nil), "", "", 0},
		"the right one, whatever the status": {signal(pt, nil), "", "", 500},
		"a fault of Domibus": {func(s *ebms.SignalMessage) []byte {
			s.Receipt, s.Errors = nil, []*ebms.Error{ebms.Errorf(ebms.ProcessingModeMismatch, nil, "no matching party found")}
			fault := `><env:Fault><env:Code><env:Value>env:Receiver</env:Value></env:Code><env:Reason><env:Text xml:lang="en">no</env:Text></env:Reason></env:Fault></env:Body>`
			return bytes.Replace(signal(nil, nil)(s), []byte("></env:Body>"), []byte(fault), 1)
		}, "", ebms.ProcessingModeMismatch, 500},
		"not signed":          {signal(nil, nil), "", ebms.InvalidReceipt, 0},
		"of another signer":   {signal(xx, nil), "", ebms.InvalidReceipt, 0},
		"for another message": {signal(pt, func(s *ebms.SignalMessage) { s.RefToMessageID = "other@fi.example" }), "", ebms.InvalidReceipt, 0},
		"for no message":      {signal(pt, func(s *ebms.SignalMessage) { s.RefToMessageID = "" }), "", ebms.InvalidReceipt, 0},
		"a digest missing":    {signal(pt, func(s *ebms.SignalMessage) { s.Receipt.References = s.Receipt.References[1:] }), "", ebms.InvalidReceipt, 0},
		"a digest too many": {signal(pt, func(s *ebms.SignalMessage) {
			more := s.Receipt.References[0]
			more.XML = string(bytes.Replace([]byte(more.XML), []byte(`URI="`), []byte(`URI="#x`), 1))
			s.Receipt.References = append(s.Receipt.References, more)
		}), "", ebms.InvalidReceipt, 0},
		"another digest": {signal(pt, func(s *ebms.SignalMessage) {
			r := &s.Receipt.References[0]
			r.XML = string(bytes.Replace([]byte(r.XML), []byte(r.Digest), []byte("AAAA"+r.Digest[4:]), 1))
		}), "", ebms.InvalidReceipt, 0},
		"no digest at all": {func(s *ebms.SignalMessage) []byte {
			messaging, err := (&ebms.Header{Signal: s}).Encode("m")
			if err != nil {
				t.Fatal(err)
			}
			from, end := bytes.Index(messaging, []byte("<ebbp:Non")), []byte("</ebbp:NonRepudiationInformation>")
			return handSigned(t, pt, slices.Concat(messaging[:from], messaging[bytes.Index(messaging, end)+len(end):]), ebms.EmptyBody("b"))
		}, "", ebms.InvalidReceipt, 0},
		"a page of a proxy": {func(*ebms.SignalMessage) []byte { return []byte("<html>ok</html>") }, "text/html", ebms.MissingReceipt, 0},
		"nothing":           {func(*ebms.SignalMessage) []byte { return nil }, "", ebms.MissingReceipt, 0},
		"endless":           {func(*ebms.SignalMessage) []byte { return bytes.Repeat([]byte(" "), 2<<20) }, "", ebms.MissingReceipt, 0},
		"altered on the way": {func(s *ebms.SignalMessage) []byte {
			return bytes.Replace(signal(pt, nil)(s), []byte("@receipt.example"), []byte("@altered.example"), 1)
		}, "", ebms.InvalidReceipt, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fi, _, at := pair(t)
			fi.AccessPoint.Client = &http.Client{Transport: answers(func(*http.Request) *http.Response { return nil })}
			id, err := fi.Submit(t.Context(), request(), []as4.Part{xmlPart("<a/>")})
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := fi.store.Sent(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			references, err := wssec.ReadReferences(out.Envelope)
			if err != nil {
				t.Fatal(err)
			}
			kind := c.kind
			if kind == "" {
				kind = ebms.SOAPType
			}
			fi.AccessPoint.Client.Transport = answers(func(*http.Request) *http.Response {
				s := &ebms.SignalMessage{Timestamp: at.Now(), MessageID: "r@receipt.example", RefToMessageID: id, Receipt: &ebms.Receipt{References: append([]ebms.Reference(nil), references...)}}
				return &http.Response{StatusCode: stdcmp.Or(c.status, 200), Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(bytes.NewReader(c.answer(s)))}
			})
			if _, err := fi.SendDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			out, tries, _ := fi.store.Sent(t.Context(), id)
			if tries[0].Code != c.want || (c.want == "") != (out.State == as4.Acknowledged) {
				t.Fatalf("%s after %+v, want %q", out.State, tries, c.want)
			}
			for range 10 {
				at.add(3 * time.Minute)
				if _, err := fi.SendDue(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			want := ebms.MissingReceipt
			if c.want == "" {
				want = ""
			}
			if len(fi.settled) != 1 || fi.settled[0].Code != want {
				t.Errorf("the producer was told %+v, want %q once", fi.settled, want)
			}
		})
	}
}

// TestAReceiptOfAnExpiredPartner proves nothing.
func TestAReceiptOfAnExpiredPartner(t *testing.T) {
	fi, _, at := pair(t)
	id, err := fi.Submit(t.Context(), request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	at.add(2 * 365 * 24 * time.Hour)
	if _, err := fi.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out, tries, _ := fi.store.Sent(t.Context(), id); out.State != as4.Queued {
		t.Errorf("%s after %+v", out.State, tries)
	}
}

// TestReply turns a request round: the answer goes to who asked, and only
// there.
func TestReply(t *testing.T) {
	asked := &as4.Message{Header: request()}
	asked.Header.MessageID, asked.Header.From = "q@fi.example", ebms.Party{ID: partyID("AP_FI_01"), Role: as4.GatewayRole}
	want := &ebms.UserMessage{To: asked.Header.From, Service: asked.Header.Service, Action: as4.ActionResponse,
		ConversationID: asked.Header.ConversationID, RefToMessageID: "q@fi.example", Properties: []ebms.Property{
			{Name: ebms.FinalRecipient, Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:FI", Value: "university"},
			{Name: ebms.OriginalSender, Type: "urn:oasis:names:tc:ebcore:partyid-type:unregistered:PT", Value: "register"},
			{Name: ebms.ExchangeID, Value: "11111111-2222-4333-8444-666666666666"}, {Name: ebms.SpecificationID, Value: "oots-edm:v2.0"}}}
	if diff := cmp.Diff(want, as4.Reply(asked, as4.ActionResponse)); diff != "" {
		t.Errorf("the reply (-want +got):\n%s", diff)
	}
}

// TestTwoWayPushAndPush answers inside the delivery of the request: both are
// committed together.
func TestTwoWayPushAndPush(t *testing.T) {
	fi, pt, _ := pair(t)
	var answered string
	pt.deliver = func(m *as4.Message) error {
		pt.later = func(ctx context.Context) (err error) {
			answered, err = pt.Submit(ctx, as4.Reply(m, as4.ActionResponse), []as4.Part{xmlPart("<b/>")})
			return err
		}
		return nil
	}
	asked, err := fi.Submit(t.Context(), request(), []as4.Part{xmlPart("<a/>")})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*endpoint{fi, pt} {
		if _, err := e.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(fi.got) != 1 {
		t.Fatalf("%d answers arrived", len(fi.got))
	}
	h := fi.got[0].header
	if h.MessageID != answered || h.RefToMessageID != asked || h.ConversationID != request().ConversationID || h.Property(ebms.FinalRecipient) != "university" {
		t.Errorf("the answer arrived as %+v", h)
	}
}
