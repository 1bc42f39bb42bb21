package as4

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/as4/wssec"
	"github.com/once-only/oots/pki"
)

// pmodeFile is a P-Mode as people write it. Paths are relative to the file.
//
//	[self]
//	id = "AP_FI_01"
//
//	[[partner]]
//	name = "nl"
//	id = "AP_NL_01"
//	url = "https://ap.example.nl/as4"
//	sign = ["nl-sign.pem"]
//	encrypt = "nl-encrypt.pem"
//	lines = ["oots-edm:v2.0", "oots-edm:v1.2"]
//
//	[retry]
//	attempts = 4
//	within = "12m"
type pmodeFile struct {
	Self    partyEntry     `toml:"self"`
	Partner []partnerEntry `toml:"partner"`
	Leg     []legEntry     `toml:"leg"` // none means the legs of the OOTS
	Retry   struct {
		Attempts int           `toml:"attempts"`
		Within   time.Duration `toml:"within"`
	} `toml:"retry"`
	Duplicates time.Duration `toml:"duplicates"`
	Suite      string        `toml:"suite"` // a name of package wssec; empty means the common profile
}

type partyEntry struct {
	Name string `toml:"name"`
	ID   string `toml:"id"`
	Type string `toml:"type"` // empty means OOTSPartyType
	Role string `toml:"role"`
}

type partnerEntry struct {
	partyEntry
	URL     string   `toml:"url"`
	Sign    []string `toml:"sign"`
	Encrypt string   `toml:"encrypt"`
	Token   string   `toml:"token"` // a key of tokens
	Lines   []string `toml:"lines"`
}

// tokens are the forms in which a message may name a certificate.
var tokens = map[string]wssec.TokenForm{"": wssec.BinaryToken, "certificate": wssec.BinaryToken, "chain": wssec.PKIPath,
	"key-id": wssec.KeyID, "issuer-serial": wssec.IssuerSerial, "thumbprint": wssec.Thumbprint}

type legEntry struct {
	Service     string   `toml:"service"`
	ServiceType string   `toml:"service_type"`
	Action      string   `toml:"action"`
	Compress    bool     `toml:"compress"`
	Lines       []string `toml:"lines"`
}

// ReadPMode reads a TOML file and the certificates it names, and checks it. A
// key that is not known is an error.
func ReadPMode(file string) (*PMode, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var f pmodeFile
	meta, err := toml.Decode(string(raw), &f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: the key %q is not known", file, unknown[0])
	}
	p, err := f.pmode(filepath.Dir(file))
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

func (f *pmodeFile) pmode(dir string) (*PMode, error) {
	p := &PMode{Self: f.Self.partner(), Retry: Retry{f.Retry.Attempts, f.Retry.Within}, Duplicates: f.Duplicates, Suite: wssec.SuiteByName(f.Suite)}
	if p.Suite == nil {
		return nil, fmt.Errorf("the suite %q is not known", f.Suite)
	}
	for _, entry := range f.Partner {
		partner := entry.partner()
		partner.URL = entry.URL
		var ok bool
		if partner.Token, ok = tokens[entry.Token]; !ok {
			return nil, fmt.Errorf("partner %s: the token %q is not known; use certificate, chain, key-id, issuer-serial or thumbprint", entry.ID, entry.Token)
		}
		var err error
		if partner.Properties, err = PropertySets(entry.Lines...); err != nil {
			return nil, fmt.Errorf("partner %s: %w", entry.ID, err)
		}
		for _, name := range entry.Sign {
			certs, err := certificates(dir, name)
			if err != nil {
				return nil, fmt.Errorf("partner %s: %w", entry.ID, err)
			}
			partner.Sign = append(partner.Sign, certs...)
		}
		if entry.Encrypt != "" {
			certs, err := certificates(dir, entry.Encrypt)
			if err != nil {
				return nil, fmt.Errorf("partner %s: %w", entry.ID, err)
			}
			partner.Encrypt = certs[0]
		}
		p.Partners = append(p.Partners, &partner)
	}
	for _, entry := range f.Leg {
		sets, err := PropertySets(entry.Lines...)
		if err != nil {
			return nil, fmt.Errorf("leg %s: %w", entry.Action, err)
		}
		p.Legs = append(p.Legs, Leg{Service: ebms.Service{Type: entry.ServiceType, Value: entry.Service},
			Action: entry.Action, Compress: entry.Compress, Properties: sets})
	}
	if len(p.Legs) == 0 {
		p.Legs = OOTSLegs()
	}
	return p, nil
}

func (e partyEntry) partner() Partner {
	if e.Type == "" {
		e.Type = OOTSPartyType
	}
	return Partner{Name: e.Name, ID: ebms.PartyID{Type: e.Type, Value: e.ID}, Role: e.Role}
}

func certificates(dir, name string) ([]*x509.Certificate, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	entries, err := pki.ReadFile(name, "")
	if err != nil {
		return nil, err
	}
	certs := pki.Certificates(entries)
	if len(certs) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", name)
	}
	return certs, nil
}
