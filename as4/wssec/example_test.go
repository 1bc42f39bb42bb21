package wssec_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// A message from signing to the opened part, as two access points do it.
func Example() {
	ca, _ := pki.NewCA(pki.CAConfig{})
	finland, _ := ca.Party("AP_FI_01")
	portugal, _ := ca.Party("AP_PT_01")

	// C2 signs, keeps the signed form for retries, encrypts and frames.
	role := "http://sdg.europa.eu/edelivery/gateway"
	message := &ebms.UserMessage{
		Timestamp: time.Now(), MessageID: "0c9c0b52-7f0e-4b57-8a57-3a8a1f0a6d11@ap.example.fi",
		From:           ebms.Party{ID: ebms.PartyID{Value: "AP_FI_01"}, Role: role},
		To:             ebms.Party{ID: ebms.PartyID{Value: "AP_PT_01"}, Role: role},
		Service:        ebms.Service{Value: "QueryManager"},
		Action:         "ExecuteQueryRequest",
		ConversationID: "6d2b3c1e-5a0f-4c0e-9c8e-1f7d6a54e001",
		Parts:          []ebms.PartInfo{{ContentID: "q@ap.example.fi"}},
	}
	part := ebms.Part{ID: "q@ap.example.fi", Type: "application/octet-stream", Content: ebms.Bytes("a request for evidence")}
	signed, _ := (&wssec.Signer{Identity: finland.Sign}).Sign(&ebms.Header{User: message}, []ebms.Part{part})
	envelope, parts, _ := (&wssec.Encrypter{Recipient: portugal.Encrypt.Cert()}).Encrypt(signed.Envelope, []ebms.Part{part})
	out := ebms.NewPackage(envelope, parts, "6f1c5a0e")

	// C3 reads the envelope, verifies, asks whose signature it is, and only
	// then believes the header and touches the part.
	var body bytes.Buffer
	io.Copy(&body, out.NewReader())
	in, _ := ebms.NewReader(&body, out.ContentType(), ebms.Limits{}, ebms.Disk{})
	defer in.Close()
	root, _ := in.Root()
	env, _ := ebms.ReadEnvelope(root)
	verified, err := wssec.Verify(env, wssec.Rules{})
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := pki.Policy{Anchors: []*x509.Certificate{ca.Cert()}}
	if verified.SignedBy(finland.Sign.Cert()) != nil || policy.Check(pki.Sign, verified.Signer) != nil {
		fmt.Println("not signed by the partner")
		return
	}
	header, _ := verified.Header()
	received, _ := in.Parts()
	clear, err := verified.Open(header.User, received, wssec.Need{Encrypted: true, Keys: []*pki.Identity{portugal.Encrypt}})
	if err != nil {
		fmt.Println(err)
		return
	}
	octets, _ := io.ReadAll(clear[0].Content.NewReader())
	fmt.Printf("%s: %s\n", header.User.Action, octets)

	// C3 answers with a receipt that C2 compares with what it sent.
	receipt := &ebms.SignalMessage{Timestamp: time.Now(), MessageID: "r1@ap.example.pt", RefToMessageID: message.MessageID, Receipt: verified.Receipt()}
	fmt.Println(ebms.MatchReceipt(signed.References, receipt, message.MessageID))
	// Output:
	// ExecuteQueryRequest: a request for evidence
	// <nil>
}
