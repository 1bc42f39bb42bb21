package exchange

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
)

// OpenLog opens the log of a node that is not running here, to read it.
func OpenLog(s Store, key []byte) (*Log, error) {
	v, err := newVault(key)
	if err != nil {
		return nil, err
	}
	return &Log{core: &core{Config: Config{Store: s, Now: time.Now, NewID: as4.NewUUID, Logger: slog.New(slog.DiscardHandler)}, cellar: cellar{vault: v}}}, nil
}

// Link is one step of a proof.
type Link struct {
	What string `json:"what"`          // "evidence", "response", …
	Says string `json:"says"`          // what was found
	OK   bool   `json:"ok"`            // it holds
	Why  string `json:"why,omitempty"` // it does not
}

// Proof is the chain from a piece of evidence to what both sides signed
// (TDD 4.8): evidence id, response id, message id with content id, the reference
// of the signature, its digest, the receipt.
type Proof struct {
	Evidence string `json:"evidence"`
	Side     string `json:"side"` // of this node in the exchange
	Links    []Link `json:"links"`
}

// Holds tells that every link does.
func (p *Proof) Holds() bool {
	for _, l := range p.Links {
		if !l.OK {
			return false
		}
	}
	return len(p.Links) > 0
}

// Prove rebuilds the chain for an evidence id out of the log and the messages
// that the access point kept, and checks every link by itself. known are the
// certificates that the partners and we may sign with; with none, whose
// signature it is stays open. NotFound is the answer for an id that no exchange
// carried.
func (l *Log) Prove(ctx context.Context, messages as4.Store, evidence string, known ...*x509.Certificate) (*Proof, error) {
	entries, err := l.Find(ctx, evidence)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		for _, part := range e.Evidence {
			if part.ID == bare(evidence) && (e.Event == AnswerSent || e.Event == AnswerReceived) {
				return l.chain(ctx, messages, e, part, known)
			}
		}
	}
	return nil, &Error{Reason: NotFound, Detail: "no exchange in the log carried this evidence id"}
}

func (l *Log) chain(ctx context.Context, messages as4.Store, e Entry, part LoggedPart, known []*x509.Certificate) (*Proof, error) {
	p := &Proof{Evidence: part.ID, Side: e.Side}
	add := func(what, says string, err error) {
		link := Link{What: what, Says: says, OK: err == nil}
		if err != nil {
			link.Why = err.Error()
		}
		p.Links = append(p.Links, link)
	}
	add("evidence", fmt.Sprintf("%s of %d octets, SHA-256 %s", part.MediaType, part.Size, part.SHA256), nil)
	add("response", fmt.Sprintf("%s answers request %s, logged %s", e.Response, e.Request, e.At.Format(time.RFC3339)), nil)

	var envelope, receipt []byte
	if e.Side == providerSide {
		sent, _, err := messages.Sent(ctx, e.Message)
		if err != nil && !errors.Is(err, as4.ErrUnknown) {
			return nil, err
		}
		envelope, receipt = sent.Envelope, sent.Receipt
	} else {
		received, err := messages.Inbound(ctx, e.Partner, e.Message)
		if err != nil && !errors.Is(err, as4.ErrUnknown) {
			return nil, err
		}
		envelope, receipt = received.Envelope, received.Receipt
	}
	if envelope == nil {
		add("message", e.Message, errors.New("the access point no longer keeps this message"))
		return p, nil
	}
	signed, err := open(envelope, known)
	add("message", e.Message+signer(signed), err)
	if signed == nil {
		return p, nil
	}
	header, err := signed.Header()
	if err == nil && (header.User == nil || header.User.MessageID != e.Message) {
		err = errors.New("the signed header names another message")
	}
	add("signed header", "eb:MessageId "+e.Message, err)
	if err != nil {
		return p, nil
	}
	for _, d := range []struct{ what, id, digest string }{
		{"signed response", lead(header.User), sum(e.Document)},
		{"signed evidence", part.ContentID, part.SHA256},
	} {
		digest, err := digestOf(signed.References, header.User, d.id, d.digest)
		add(d.what, fmt.Sprintf("ds:Reference cid:%s, ds:DigestValue %s", d.id, digest), err)
	}
	if len(receipt) == 0 {
		add("receipt", "none", errors.New("no receipt was kept: the message was not acknowledged"))
		return p, nil
	}
	back, err := open(receipt, known)
	add("receipt", "signed"+signer(back), err)
	if back == nil {
		return p, nil
	}
	signal, err := back.Header()
	if err == nil && signal.Signal == nil {
		err = errors.New("what was kept is no receipt")
	}
	if err == nil {
		err = ebms.MatchReceipt(signed.References, signal.Signal, e.Message)
	}
	add("receipt repeats", fmt.Sprintf("%d digests", len(signed.References)), err)
	return p, nil
}

// open verifies the signature of an envelope, and whose it is.
func open(raw []byte, known []*x509.Certificate) (*wssec.Verified, error) {
	env, err := ebms.ReadEnvelope(raw)
	if err != nil {
		return nil, err
	}
	v, err := wssec.Verify(env, wssec.Rules{Suites: []*wssec.Suite{wssec.Common, wssec.Edwards, wssec.ECDSAP256}, Known: known})
	if err != nil {
		return nil, err
	}
	if len(known) > 0 {
		err = v.SignedBy(known...)
	}
	return v, err
}

func signer(v *wssec.Verified) string {
	if v == nil {
		return ""
	}
	return " by certificate " + v.Signer.SerialNumber.Text(16)
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// lead is the content id of the first part.
func lead(m *ebms.UserMessage) string {
	if len(m.Parts) == 0 {
		return ""
	}
	return m.Parts[0].ContentID
}

// digestOf finds the signed digest of a part and holds it to the one of the log.
func digestOf(refs []ebms.Reference, m *ebms.UserMessage, id, want string) (string, error) {
	for _, r := range refs {
		cid, ok := strings.CutPrefix(r.URI, "cid:")
		if !ok || cid != id && r.URI != ebms.CID(id) {
			continue
		}
		octets, err := base64.StdEncoding.DecodeString(r.Digest)
		if err != nil {
			return r.Digest, err
		}
		for i := range m.Parts {
			if m.Parts[i].ContentID == id && m.Parts[i].Compressed() {
				return r.Digest, errors.New("the part was compressed before it was signed: decompress what was kept to compare")
			}
		}
		if hex.EncodeToString(octets) != want {
			return r.Digest, errors.New("the log has another digest: SHA-256 " + want)
		}
		return r.Digest, nil
	}
	return "none", errors.New("the signature does not cover this part")
}

// WriteText tells a proof in words, a line each.
func (p *Proof) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "evidence %s, seen by the %s\n", p.Evidence, p.Side)
	for _, l := range p.Links {
		mark := "ok  "
		if !l.OK {
			mark = "NOT "
		}
		fmt.Fprintf(&b, "  %s %-16s %s\n", mark, l.What, l.Says)
		if l.Why != "" {
			fmt.Fprintf(&b, "       %-16s %s\n", "", l.Why)
		}
	}
	if p.Holds() {
		b.WriteString("The chain holds: both access points signed for these octets.\n")
	} else {
		b.WriteString("The chain is broken at the links marked NOT.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
