package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

const recordedAS4 = "../../as4/testdata/phase4/"

// TestInspectAS4 explains messages and receipts of a recorded exchange with
// phase4, spoilt and sound, with keys and without.
func TestInspectAS4(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	message, err := os.ReadFile(recordedAS4 + "from-phase4.message.as4")
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := os.ReadFile(recordedAS4 + "from-phase4.receipt.as4")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	from, to := bytes.Index(body, []byte("<?xml")), bytes.Index(body, []byte(":Envelope>\r\n"))
	envelope := body[from : to+len(":Envelope>")]
	spoilt := bytes.Clone(message)
	spoilt[len(spoilt)-300] ^= 1
	other, err := os.ReadFile(recordedAS4 + "to-phase4.receipt.as4")
	if err != nil {
		t.Fatal(err)
	}
	// Somebody signs another message under the id that the receipt names.
	entries, err := pki.ReadFile(recordedAS4+"pt-own.pem", "")
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(string(receipt[bytes.Index(receipt, []byte("<eb:RefToMessageId>"))+len("<eb:RefToMessageId>"):]), "<")
	signer := wssec.Signer{Identity: pki.Identities(entries)[0]}
	forged, err := signer.Sign(&ebms.Header{User: &ebms.UserMessage{MessageID: id, Timestamp: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		From: ebms.Party{ID: ebms.PartyID{Value: "a"}, Role: "r"}, To: ebms.Party{ID: ebms.PartyID{Value: "b"}, Role: "r"},
		Service: ebms.Service{Value: ebms.TestService}, Action: ebms.TestAction, ConversationID: "c"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	request := append([]byte("POST /as4 HTTP/1.1\r\nHost: ap.example\r\n"), message...)
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string // in the output, or in the errors
	}{
		{"a message", []string{write("message.as4in", message)}, 0, []string{"an AS4 user message with 2 parts",
			"From AP_PT_01 to AP_FI_01", "Signature: verifies (rsa)", "the header, eb:Messaging", "the empty Body", "Signed by CN=AP_PT_01", "encrypted. Give the receiver's key"}},
		{"with its request line and keys", []string{"--keys", recordedAS4, write("request.as4in", request)}, 0,
			[]string{"decrypted, and each has the digest that was signed", "Part 2: 20000 octets, SHA-256", "The certificate is among the keys at hand"}},
		{"a spoilt part", []string{"--keys", recordedAS4, write("spoilt.as4in", spoilt)}, 1, []string{"EBMS:0102", "its parts are not what was signed"}},
		{"the multipart alone", []string{write("body.bin", body)}, 0, []string{"an AS4 user message with 2 parts", "Signature: verifies"}},
		{"the envelope alone", []string{write("envelope.xml", envelope)}, 0, []string{"Signature: verifies", "this file holds the envelope alone"}},
		{"an altered envelope", []string{write("altered.xml", bytes.Replace(envelope, []byte("AP_FI_01"), []byte("AP_FI_02"), 1))}, 1,
			[]string{"Signature: refused. EBMS:0101", "its signature does not verify"}},
		{"a receipt with its message", []string{write("receipt.as4out", receipt), write("m2.as4in", message)}, 0,
			[]string{"an AS4 receipt for the message", "It repeats exactly what was signed in", "4 digests"}},
		{"a receipt with another message of its id", []string{write("r4.as4out", receipt), write("forged.xml", forged.Envelope)}, 1,
			[]string{"It does not fit the message in", "EBMS:0302", "an AS4 test message (ping: to be acknowledged, not delivered) with 0 parts"}},
		{"a receipt without it", []string{write("r2.as4out", receipt)}, 0, []string{"is not among these files"}},
		{"the receipt of phase4", []string{write("r3.as4in", other)}, 0, []string{"It repeats the digest of cid:", "Signed by CN=AP_PT_01"}},
		{"not AS4 after all", []string{write("cut.as4in", message[:len(message)/4])}, 1, []string{"cannot be read"}},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"inspect"}, c.args...), nil, &out, &errs)
		said := out.String() + errs.String()
		if code != c.code {
			t.Errorf("%s: code %d, want %d\n%s", c.name, code, c.code, said)
		}
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said in\n%s", c.name, want, said)
			}
		}
	}
}
