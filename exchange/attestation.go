package exchange

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/pki"
)

// Attestation is one side's signed statement about an exchange, or about a
// month of them: a fact for the Acceleratormeter, without anything personal.
type Attestation struct {
	Fact ledger.Fact `json:"fact"`
	// Signature is over the canonical line of the fact; Certificate (DER) says
	// whose it is.
	Signature   []byte `json:"signature"`
	Certificate []byte `json:"certificate"`
}

// Attester is what a node needs to speak for its country.
type Attester struct {
	Party       string // asserter, such as "ms:FI" or "team:FI/portal"
	Environment ledger.Environment
	Identity    *pki.Identity
	// RealUser says that the exchanges were no tests. A system check (procedure
	// 00) is one whatever this says.
	RealUser bool
	Sample   bool // the exchanges are those of a demonstration
	// Ahead is how far the node's clock runs ahead of the world's, as in a network
	// that does not wait for its clocks; the same for both sides of an exchange.
	Ahead time.Duration
	// Of tells whether an exchange belongs to the environment, by its evidence
	// type: for a node that serves several, whose identifiers differ. Nil: all do.
	Of func(evidenceType string) bool
}

// systemCheck is the procedure of exchanges that carry no real person.
const systemCheck = "00"

// covers tells whether an entry is about what the attester speaks of.
func (a Attester) covers(e *Entry) bool { return a.Of == nil || a.Of(e.EvidenceType) }

// Attest states the end of an exchange that this side of the node took part in,
// by the id of its last request: where there was a preview, the second one, for
// the answer to the first only asked for it. The ids are salted hashes: both sides know the salt,
// the ConversationId, and come to the same hashes; nobody else can try ids out.
func (l *Log) Attest(ctx context.Context, a Attester, request string) (*Attestation, error) {
	entries, err := l.Find(ctx, request)
	if err != nil {
		return nil, err
	}
	var asked, answered *Entry
	for i := range entries {
		e := &entries[i]
		if bare(e.Request) != bare(request) {
			continue
		}
		switch e.Event {
		case RequestSent, RequestReceived:
			asked = e
		case AnswerSent, AnswerReceived:
			answered = e
		}
	}
	if asked == nil || answered == nil {
		return nil, &Error{Reason: NotFound, Detail: "the log has no answered request of this id"}
	}
	if answered.Outcome == string(edm.AuthorizationMissing) {
		return nil, &Error{Reason: WrongState, Detail: "the answer to this request asked for a preview and ended nothing; attest the second request of the exchange"}
	}
	if !a.covers(asked) {
		return nil, &Error{Reason: NotFound, Detail: "the exchange is not one of the environment " + string(a.Environment)}
	}
	hash := salted(asked.Conversation, bare(asked.Request))
	f := a.fact(fmt.Sprintf("attestation:%s:%s", asked.Side, hash), asked.Side, asked.Country)
	f.HappenedAt = answered.SentAt.Add(-a.Ahead).UTC().Truncate(time.Minute)
	f.Specification = string(asked.Line)
	f.Body.RequestHash = hash
	f.Body.MessageHash = salted(asked.Conversation, answered.Message)
	f.Body.Outcome = outcome(answered.Outcome)
	f.Body.Procedures = []string{asked.Procedure}
	f.Body.RealUser = a.RealUser && asked.Procedure != systemCheck
	return a.sign(f)
}

// fact begins a fact of a side about exchanges with another country.
func (a Attester) fact(id, side, partner string) ledger.Fact {
	return ledger.Fact{ID: id, Kind: ledger.TransactionAttestation, Asserter: a.Party, Environment: a.Environment, Sample: a.Sample,
		Subject: ledger.Subject{Country: ledger.PartyCountry(a.Party), Partner: partner, Role: ledger.Role(side)}}
}

// outcome is pass for whatever the specification calls a regular end.
func outcome(s string) string {
	switch s {
	case Success, NoEvidence, Later, string(edm.ObjectNotFound):
		return "pass"
	}
	return "fail"
}

// salted hashes an id with the conversation as the salt.
func salted(conversation, id string) string {
	mac := hmac.New(sha256.New, []byte(conversation))
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil))
}

// sign checks a fact and signs its canonical line.
func (a Attester) sign(f ledger.Fact) (*Attestation, error) {
	if err := ledger.Check(f); err != nil {
		return nil, err
	}
	if a.Identity == nil || a.Identity.Signer() == nil {
		return nil, errors.New("exchange: an attestation needs a key that signs")
	}
	line := ledger.AppendLine(nil, &f)
	digest, hash := line, crypto.Hash(0)
	if _, edwards := a.Identity.Key.(ed25519.PrivateKey); !edwards {
		sum := sha256.Sum256(line)
		digest, hash = sum[:], crypto.SHA256
	}
	signature, err := a.Identity.Signer().Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, err
	}
	return &Attestation{Fact: f, Signature: signature, Certificate: a.Identity.Cert().Raw}, nil
}

// Verify holds an attestation to its signature. Whether the certificate may
// speak for the asserter is the caller's to judge.
func (a *Attestation) Verify() (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return nil, errors.New("exchange: the attestation's certificate cannot be read")
	}
	line := ledger.AppendLine(nil, &a.Fact)
	sum := sha256.Sum256(line)
	ok := false
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		ok = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], a.Signature) == nil
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(key, sum[:], a.Signature)
	case ed25519.PublicKey:
		ok = ed25519.Verify(key, line, a.Signature)
	}
	if !ok {
		return nil, errors.New("exchange: the attestation's signature does not hold")
	}
	return cert, nil
}
