package wssec

import (
	"encoding/xml"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/once-only/oots/as4/ebms"
)

// domibusAccepts is a receipt checker of its own, over encoding/xml, after the
// rules by which Domibus, as the sender of request, judges receipt: exactly one
// Security header; wsu:Id on eb:Messaging, referenced by the receipt's
// signature; the set of (URI, digest value) equal to that of the request.
func domibusAccepts(request, receipt []byte) error {
	type node struct {
		XMLName  xml.Name
		Attrs    []xml.Attr `xml:",any,attr"`
		Text     string     `xml:",chardata"`
		Children []*node    `xml:",any"`
	}
	attr := func(n *node, space, local string) string {
		for _, a := range n.Attrs {
			if a.Name.Space == space && a.Name.Local == local {
				return a.Value
			}
		}
		return ""
	}
	var find func(n *node, space, local string) []*node
	find = func(n *node, space, local string) (out []*node) {
		if n.XMLName.Space == space && n.XMLName.Local == local {
			out = append(out, n)
		}
		for _, c := range n.Children {
			out = append(out, find(c, space, local)...)
		}
		return out
	}
	parse := func(b []byte) (*node, error) {
		n := &node{}
		return n, xml.Unmarshal([]byte(strings.TrimPrefix(string(b), "\xef\xbb\xbf")), n)
	}
	one := func(n *node, space, local string) (*node, error) {
		all := find(n, space, local)
		if len(all) != 1 {
			return nil, fmt.Errorf("%d elements %s", len(all), local)
		}
		return all[0], nil
	}
	pairs := func(n *node) (out []string) {
		for _, r := range find(n, ebms.DS, "Reference") {
			v := find(r, ebms.DS, "DigestValue")
			out = append(out, attr(r, "", "URI")+" "+strings.Join(strings.Fields(v[0].Text), ""))
		}
		slices.Sort(out)
		return out
	}
	req, err := parse(request)
	if err != nil {
		return err
	}
	rec, err := parse(receipt)
	if err != nil {
		return err
	}
	security, err := one(rec, ebms.WSSE, "Security")
	if err != nil {
		return err
	}
	messaging, err := one(rec, ebms.NS, "Messaging")
	if err != nil {
		return err
	}
	id := attr(messaging, ebms.WSU, "Id")
	signed := find(security, ebms.DS, "Reference")
	if id == "" || !slices.ContainsFunc(signed, func(r *node) bool { return attr(r, "", "URI") == "#"+id }) {
		return fmt.Errorf("the receipt's signature does not reference its Messaging")
	}
	for _, r := range signed {
		if strings.HasPrefix(attr(r, "", "URI"), "cid:") {
			return fmt.Errorf("the receipt's signature references an attachment")
		}
	}
	info, err := one(req, ebms.DS, "SignedInfo")
	if err != nil {
		return err
	}
	nri, err := one(messaging, ebms.EBBP, "NonRepudiationInformation")
	if err != nil {
		return err
	}
	for _, part := range nri.Children {
		if part.XMLName.Local != "MessagePartNRInformation" || len(part.Children) != 1 || part.Children[0].XMLName.Space != ebms.DS {
			return fmt.Errorf("the receipt holds a %s", part.XMLName.Local)
		}
	}
	if sent, got := pairs(info), pairs(nri); !slices.Equal(sent, got) {
		return fmt.Errorf("the receipt has %q, the request %q", got, sent)
	}
	return nil
}

// receiptFor is B's signed receipt.
func receiptFor(t testing.TB, v *Verified, messageID string) *Signed {
	t.Helper()
	s, err := (&Signer{Identity: people().b.Sign}).Sign(&ebms.Header{Signal: &ebms.SignalMessage{
		Timestamp: morning, MessageID: "r1@ap.example.yy", RefToMessageID: messageID, Receipt: v.Receipt(),
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkReceipt wants a receipt to be accepted by Domibus' rules and by ours,
// and refused once a digest in it is another.
func checkReceipt(t *testing.T, request []byte, v *Verified, messageID string) {
	t.Helper()
	signed := receiptFor(t, v, messageID)
	if err := domibusAccepts(request, signed.Envelope); err != nil {
		t.Error(err)
	}
	env, err := ebms.ReadEnvelope(signed.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Verify(env, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := r.Header()
	if err != nil {
		t.Fatal(err)
	}
	if err := ebms.MatchReceipt(v.References, h.Signal, messageID); err != nil {
		t.Error(err)
	}
	digest := v.References[0].Digest
	other := "A" + digest[1:]
	if other == digest {
		other = "B" + digest[1:]
	}
	forged := []byte(strings.Replace(string(signed.Envelope), digest, other, 1))
	if domibusAccepts(request, forged) == nil {
		t.Error("the checker accepts anything")
	}
	if env, err = ebms.ReadEnvelope(forged); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(env, Rules{}); ebms.CodeOf(err) != ebms.FailedAuthentication {
		t.Error("forged receipt:", err)
	}
}

func TestReceiptsForCapturedUserMessages(t *testing.T) {
	dir := samples(t)
	for _, file := range []string{"dump-raw.as4out"} {
		_, root := capture(t, filepath.Join(dir, file))
		env, err := ebms.ReadEnvelope(root)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Verify(env, Rules{})
		if err != nil {
			t.Fatal(err)
		}
		h, err := v.Header()
		if err != nil {
			t.Fatal(err)
		}
		checkReceipt(t, root, v, h.MessageID())
	}
}

func TestReceiptsForOurOwnShapes(t *testing.T) {
	for _, prefixes := range []bool{false, true} {
		for _, n := range []int{0, 1, 2, MaxAttachments} {
			for _, bom := range []string{"", "\xef\xbb\xbf"} {
				m := request()
				var parts []ebms.Part
				for i := range n {
					id := fmt.Sprintf("p%d&'+@ap.example.eu", i)
					m.Parts = append(m.Parts, ebms.PartInfo{ContentID: id})
					parts = append(parts, ebms.Part{ID: id, Type: "application/octet-stream", Content: ebms.Bytes(id)})
				}
				signed, err := (&Signer{Identity: people().a.Sign, PrefixList: prefixes}).Sign(&ebms.Header{User: m}, parts)
				if err != nil {
					t.Fatal(err)
				}
				enveloped := []byte(bom + string(signed.Envelope))
				env, err := ebms.ReadEnvelope(enveloped)
				if err != nil {
					t.Fatal(err)
				}
				v, err := Verify(env, Rules{})
				if err != nil {
					t.Fatal(err)
				}
				checkReceipt(t, enveloped, v, m.MessageID)
			}
		}
	}
}

// The test service is a user message like any other, and is told apart.
func TestTestService(t *testing.T) {
	m := request()
	m.Test()
	w := sendFrom(t, people().a, m, nil, true)
	got, err := bob().take(w)
	if err != nil {
		t.Fatal(err)
	}
	if !got.header.User.IsTest() || request().IsTest() {
		t.Error("the test service is not recognised")
	}
	checkReceipt(t, []byte(w.envelope), got.v, m.MessageID)
}

// An error signal is signed like a receipt; a SOAP fault beside an unsigned one
// is read too.
func TestErrorSignals(t *testing.T) {
	s, err := (&Signer{Identity: people().b.Sign}).Sign(&ebms.Header{Signal: &ebms.SignalMessage{
		Timestamp: morning, MessageID: "e1@ap.example.yy", RefToMessageID: "1@x", Errors: []*ebms.Error{ebms.Errorf(ebms.ValueInconsistent, nil, "no such party")},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env, err := ebms.ReadEnvelope(s.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(env, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.SignedBy(people().b.Sign.Cert()); err != nil {
		t.Error(err)
	}
	h, err := v.Header()
	if err != nil || h.Signal.Errors[0].Code != ebms.ValueInconsistent {
		t.Error(h, err)
	}

	messaging, err := h.Encode("m")
	if err != nil {
		t.Fatal(err)
	}
	fault := `<env:Body><env:Fault><env:Code><env:Value>env:Receiver</env:Value></env:Code><env:Reason><env:Text xml:lang="en">An error occurred</env:Text></env:Reason></env:Fault></env:Body>`
	if env, err = ebms.ReadEnvelope(ebms.BuildEnvelope(messaging, nil, []byte(fault))); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(env, Rules{}); ebms.CodeOf(err) != ebms.PolicyNoncompliance {
		t.Error("an unsigned error verified:", err)
	}
	if h, err = env.Decode(); err != nil || h.Signal.RefToMessageID != "1@x" || env.Fault() != "An error occurred" {
		t.Error(h, err, env.Fault())
	}
}
