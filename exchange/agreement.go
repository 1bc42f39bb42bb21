package exchange

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/once-only/oots/ledger"
)

// Match tells whether two sides speak of the same exchange, and agree.
func Match(a, b *ledger.Fact) bool { return disagree(a, b) == "" }

// disagree is what keeps two facts from being the two sides of one exchange.
func disagree(a, b *ledger.Fact) string {
	same := func(ok bool, what string) string {
		if ok {
			return ""
		}
		return what
	}
	for _, why := range []string{
		same(a.Kind == ledger.TransactionAttestation && b.Kind == a.Kind && a.Body.RequestHash != "" && b.Body.RequestHash != "", "both must be about one exchange"),
		same(a.Subject.Role != b.Subject.Role, "both speak for the same side"),
		same(a.Subject.Country == b.Subject.Partner && a.Subject.Partner == b.Subject.Country, "they name other countries"),
		same(a.Environment == b.Environment, "they name other environments"),
		same(a.Body.RequestHash == b.Body.RequestHash, "the hashes of the request differ"),
		same(a.Body.MessageHash == b.Body.MessageHash, "the hashes of the message differ"),
		same(a.Body.Outcome == b.Body.Outcome, "one says "+a.Body.Outcome+", the other "+b.Body.Outcome),
		same(a.HappenedAt.Equal(b.HappenedAt), "the times differ"),
		same(slices.Equal(a.Body.Procedures, b.Body.Procedures), "the procedures differ"),
		same(a.Body.RealUser == b.Body.RealUser, "one says that it was a real user's exchange"),
	} {
		if why != "" {
			return why
		}
	}
	return ""
}

// Witness takes attestations for the ledger. SpeaksFor tells for which country a
// certificate may speak; "" for none.
type Witness struct {
	SpeaksFor func(*x509.Certificate) string
}

// Speakers are certificates by the country whose access point signs with them.
func Speakers(known map[string][]*x509.Certificate) func(*x509.Certificate) string {
	return func(c *x509.Certificate) string {
		for cc, certs := range known {
			if slices.ContainsFunc(certs, c.Equal) {
				return cc
			}
		}
		return ""
	}
}

// Exchange gives the facts of one exchange that both sides attested, when both
// signatures hold, each is that of the country it speaks for, and they agree.
// Nothing of a pair is to be recorded otherwise; the error is an *Error with
// Reason Unproven.
func (w Witness) Exchange(a, b *Attestation) ([]ledger.Fact, error) {
	for _, side := range []*Attestation{a, b} {
		if err := w.signed(side); err != nil {
			return nil, err
		}
	}
	if why := disagree(&a.Fact, &b.Fact); why != "" {
		return nil, &Error{Reason: Unproven, Detail: "the two sides do not attest the same exchange: " + why}
	}
	return []ledger.Fact{a.Fact, b.Fact}, nil
}

// Month gives the facts of a monthly aggregate whose signatures hold.
func (w Witness) Month(all []*Attestation) (facts []ledger.Fact, err error) {
	for _, a := range all {
		if err := w.signed(a); err != nil {
			return nil, err
		}
		if a.Fact.Body.Period == "" {
			return nil, &Error{Reason: Unproven, Detail: "the attestation " + a.Fact.ID + " is about one exchange; give both sides of it"}
		}
		facts = append(facts, a.Fact)
	}
	return facts, nil
}

// signed refuses an attestation that nobody who may speak for its country
// signed.
func (w Witness) signed(a *Attestation) error {
	if a == nil {
		return &Error{Reason: Unproven, Detail: "one side did not attest"}
	}
	refuse := func(why string) error {
		return &Error{Reason: Unproven, Detail: fmt.Sprintf("the attestation %.128q: %s", a.Fact.ID, why)}
	}
	cert, err := a.Verify()
	if err != nil {
		return refuse(err.Error())
	}
	f := &a.Fact
	if err := ledger.Check(*f); err != nil {
		return refuse(err.Error())
	}
	if f.Kind != ledger.TransactionAttestation {
		return refuse("it is a " + string(f.Kind))
	}
	switch cc := ledger.PartyCountry(f.Asserter); {
	case cc == "" || cc != f.Subject.Country:
		return refuse("its asserter does not speak for the country that it is about")
	case w.SpeaksFor(cert) != cc:
		return refuse("its certificate may not speak for " + cc)
	case f.Verifier != "" || f.PointsAt != "" || !f.RecordedAt.IsZero():
		return refuse("it says more than one side can")
	}
	return nil
}

// maxAttestation bounds one in octets: a fact, a signature, a certificate.
const maxAttestation = 64 << 10

// ReadAttestation reads one as Log.Attest gives it, as JSON. What it claims is
// for a Witness to judge.
func ReadAttestation(r io.Reader) (*Attestation, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxAttestation+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxAttestation {
		return nil, fmt.Errorf("exchange: an attestation has at most %d octets", maxAttestation)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var a Attestation
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("exchange: the attestation cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("exchange: more than one attestation in a file")
	}
	return &a, nil
}
