package main

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/once-only/oots/pki"
)

type keys struct {
	Init   keysInit   `cmd:"" help:"Make the certificates of a test network in an empty folder."`
	Report keysReport `cmd:"" help:"Make the key that signs a team's test reports."`
	Show   keysShow   `cmd:"" help:"What is in a key store or certificate file, in plain words."`
}

type keysInit struct {
	Dir   string   `arg:"" help:"Folder to write to; made if it is missing."`
	Party []string `help:"Access point identifiers." default:"AP_XX_01,AP_YY_01"`
	Host  []string `help:"Names and addresses for the TLS certificates." default:"localhost,127.0.0.1,::1"`
	Days  int      `help:"Days of validity." default:"365"`
}

// Run writes ca.pem, trust.pem (all signing and encryption certificates) and a
// folder with three identities for each party. The key of the authority is not
// kept: such a network is made anew, not extended.
func (c keysInit) Run(w *world) error {
	if c.Days < 1 || c.Days > 3660 {
		return errors.New("--days must be between 1 and 3660")
	}
	for _, name := range c.Party {
		if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
			return fmt.Errorf("%q cannot be the name of a folder; choose another --party", name)
		}
	}
	if files, err := os.ReadDir(c.Dir); err == nil && len(files) > 0 {
		return fmt.Errorf("%s is not empty; name a new folder, since keys are never overwritten", c.Dir)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	ca, err := pki.NewCA(pki.CAConfig{Lifetime: time.Duration(c.Days) * 24 * time.Hour})
	if err != nil {
		return err
	}
	var trust []byte
	for _, name := range c.Party {
		p, err := ca.Party(name, c.Host...)
		if err != nil {
			return err
		}
		if err := p.Save(filepath.Join(c.Dir, name)); err != nil {
			return err
		}
		for _, id := range []*pki.Identity{p.Sign, p.Encrypt} {
			trust = append(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Cert().Raw})...)
		}
		fmt.Fprintf(w.out, "%s\n", filepath.Join(c.Dir, name))
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert().Raw})
	if err := os.WriteFile(filepath.Join(c.Dir, "ca.pem"), root, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "trust.pem"), trust, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(w.err, "Access points: %d, each with a signing, an encryption and a TLS certificate, valid for %d days.\nFor tests only: nobody outside this network should trust them.\n", len(c.Party), c.Days)
	return nil
}

type keysShow struct {
	File     string `arg:"" help:"PEM, PKCS#12, JKS or a DER certificate."`
	Password string `help:"Password of the store." env:"OOTS_KEY_PASSWORD"`
}

func (c keysShow) Run(w *world) error {
	entries, err := pki.ReadFile(c.File, c.Password)
	if err != nil {
		return err
	}
	now := time.Now()
	for i, e := range entries {
		if i > 0 {
			fmt.Fprintln(w.out)
		}
		what := "certificate"
		if e.Key != nil {
			what = "private key with certificate"
			if len(e.Chain) == 0 {
				what = "private key without certificate"
			}
		}
		if e.Alias != "" {
			what += " " + fmt.Sprintf("%q", e.Alias)
		}
		fmt.Fprintln(w.out, what)
		for j, cert := range e.Chain {
			if j > 0 {
				fmt.Fprintf(w.out, "  issued by   %s\n", cert.Subject)
				continue
			}
			describe(w, cert, now)
		}
	}
	return nil
}

func describe(w *world, c *x509.Certificate, now time.Time) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w.out, "  %-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("subject", "%s", c.Subject)
	line("issuer", "%s", c.Issuer)
	line("serial", "%x", c.SerialNumber)
	state := fmt.Sprintf("%d days left", int(c.NotAfter.Sub(now).Hours()/24))
	switch {
	case now.After(c.NotAfter):
		state = "EXPIRED"
	case now.Before(c.NotBefore):
		state = "NOT YET VALID"
	}
	line("valid", "%s to %s, %s", c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly), state)
	line("key", "%s", keyWords(c))
	var usable []string
	for use := pki.Sign; use <= pki.TLSClient; use++ {
		p := pki.Policy{Anchors: []*x509.Certificate{c}, Now: func() time.Time { return c.NotBefore }}
		if p.Check(use, c) == nil {
			usable = append(usable, use.String())
		}
	}
	if c.IsCA {
		usable = append(usable, "issuing certificates")
	}
	line("good for", "%s", strings.Join(usable, ", "))
	if len(c.SubjectKeyId) > 0 {
		line("key id", "%x", c.SubjectKeyId)
	}
	line("SHA-256", "%x", sha256.Sum256(c.Raw))
}

func keyWords(c *x509.Certificate) string {
	k, err := pki.PublicKey(c)
	if err != nil {
		return "of an unknown kind"
	}
	switch k := k.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA, %d bits", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA on " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdh.PublicKey:
		return fmt.Sprint(k.Curve())
	}
	return "of an unknown kind"
}
