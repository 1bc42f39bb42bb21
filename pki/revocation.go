package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Mode says what to do where the revocation status cannot be determined.
type Mode int

const (
	Soft Mode = iota // accept what is not known to be revoked
	Hard             // refuse what is not known to be good
)

// Revocation is revocation data from local files: certificate revocation lists
// (RFC 5280) and stored OCSP answers (RFC 6960). A certificate that any of them
// calls revoked is refused in both modes, even by data that is out of date.
type Revocation struct {
	Mode  Mode
	Lists []*x509.RevocationList
	OCSP  [][]byte // DER
}

// maxRevocationFile bounds one list or answer.
const maxRevocationFile = 64 << 20

// LoadRevocation reads every .crl, .pem, .der and .ocsp file of one folder.
func LoadRevocation(mode Mode, folder fs.FS) (*Revocation, error) {
	r := &Revocation{Mode: mode}
	files, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, fmt.Errorf("revocation folder: %w", err)
	}
	for _, f := range files {
		kind := strings.ToLower(path.Ext(f.Name()))
		if f.IsDir() || kind != ".crl" && kind != ".pem" && kind != ".der" && kind != ".ocsp" {
			continue
		}
		if info, err := f.Info(); err != nil || info.Size() > maxRevocationFile {
			return nil, fmt.Errorf("revocation file %s: larger than %d MiB or unreadable", f.Name(), maxRevocationFile>>20)
		}
		data, err := fs.ReadFile(folder, f.Name())
		if err != nil {
			return nil, fmt.Errorf("revocation file %s: %w", f.Name(), err)
		}
		if err := r.Add(data); err != nil {
			return nil, fmt.Errorf("revocation file %s: %w", f.Name(), err)
		}
	}
	return r, nil
}

// Add takes one revocation list (DER or PEM) or one OCSP answer (DER).
func (r *Revocation) Add(data []byte) error {
	if b, _ := pem.Decode(data); b != nil {
		data = b.Bytes
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		if _, ocspErr := ocsp.ParseResponse(data, nil); ocspErr != nil && !signedByOther(ocspErr) {
			return errors.New("neither a certificate revocation list nor an OCSP answer")
		}
		r.OCSP = append(r.OCSP, data)
		return nil
	}
	for _, e := range list.Extensions {
		// Partial lists (issuing distribution point, delta) would be read as
		// complete ones: their critical extensions are refused.
		if e.Critical {
			return fmt.Errorf("revocation list with the critical extension %s is not supported; use the complete list of the authority", e.Id)
		}
	}
	r.Lists = append(r.Lists, list)
	return nil
}

// signedByOther tells that an answer parsed but its delegate could not be
// judged without the issuer; check does that later.
func signedByOther(err error) bool {
	return strings.Contains(err.Error(), "signature")
}

func (r *Revocation) check(c, issuer *x509.Certificate, now time.Time) error {
	if issuer == nil {
		return r.unknown(c, "its issuer is not at hand")
	}
	good := false
	for _, l := range r.Lists {
		if !bytes.Equal(l.RawIssuer, issuer.RawSubject) || l.CheckSignatureFrom(issuer) != nil {
			continue
		}
		for _, e := range l.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(c.SerialNumber) == 0 && e.ReasonCode != 8 { // 8: removeFromCRL
				return refuse(c, Revoked, fmt.Errorf("since %s", e.RevocationTime.UTC().Format(time.RFC3339)))
			}
		}
		good = good || current(l.ThisUpdate, l.NextUpdate, now)
	}
	for _, der := range r.OCSP {
		a, err := ocsp.ParseResponseForCert(der, c, issuer)
		if err != nil {
			continue // about another certificate, or not signed for this issuer
		}
		if a.Status == ocsp.Revoked {
			return refuse(c, Revoked, fmt.Errorf("since %s", a.RevokedAt.UTC().Format(time.RFC3339)))
		}
		good = good || a.Status == ocsp.Good && current(a.ThisUpdate, a.NextUpdate, now)
	}
	if !good {
		return r.unknown(c, "no current revocation list or OCSP answer of its issuer")
	}
	return nil
}

func (r *Revocation) unknown(c *x509.Certificate, why string) error {
	if r.Mode == Soft {
		return nil
	}
	return refuse(c, RevocationUnknown, errors.New(why))
}

// current allows no missing end: data without NextUpdate never ages and so
// proves nothing about today.
func current(from, until, now time.Time) bool {
	return !now.Before(from) && !until.IsZero() && !now.After(until)
}
