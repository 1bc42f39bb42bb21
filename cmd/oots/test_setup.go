package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/testbed"
)

// testSetup writes a folder in which a node of this build and the platform that
// tests it find each other: what a national team does by hand for a system of
// its own (docs/cases.md).
type testSetup struct {
	Dir     string `arg:"" help:"Folder to write to; made if it is missing."`
	Country string `help:"Country of the node (${default})." default:"FI"`
	Port    int    `help:"First of five ports on loopback (${default})." default:"18440"`
	Scale   int    `help:"How many times faster the clocks T1 to T3 run (${default})." default:"60"`
}

// Run writes keys, node.toml, pmode.toml and platform.toml.
func (c testSetup) Run(w *world) error {
	known := false
	for _, country := range seed.Countries() {
		known = known || country.Code == c.Country
	}
	if !known {
		return fmt.Errorf("%q is no country of the network; Greece is EL", c.Country)
	}
	if c.Port < 1024 || c.Port > 65000 {
		return errors.New("--port is a number from 1024 to 65000")
	}
	if c.Scale < 1 || c.Scale > mostScale {
		return fmt.Errorf("--scale is a number from 1 to %d", mostScale)
	}
	node := "AP_" + c.Country + "_01"
	keys := keysInit{Dir: filepath.Join(c.Dir, "keys"), Party: []string{node, testbed.PlatformName}, Host: []string{"localhost", "127.0.0.1"}, Days: 365}
	if err := keys.Run(w); err != nil {
		return err
	}
	ca, err := pki.NewCA(pki.CAConfig{Name: "OOTS test platform directories"})
	if err != nil {
		return err
	}
	signer, err := ca.Issue(pki.Request{Name: "OOTS test platform directories", Use: pki.Sign, Key: pki.P256})
	if err != nil {
		return err
	}
	private, err := signer.PEM()
	if err != nil {
		return err
	}
	token := rand.Text()
	sum := sha256.Sum256([]byte(token))
	fill := strings.NewReplacer("{country}", c.Country, "{node}", node, "{platform}", testbed.PlatformName, "{scale}", fmt.Sprint(c.Scale), "{within}", (12 * time.Minute / time.Duration(c.Scale)).String(), "{token}", token, "{sum}", hex.EncodeToString(sum[:]),
		"{as4}", at(c.Port), "{operations}", at(c.Port+1), "{orders}", at(c.Port+2), "{tests}", at(c.Port+3), "{names}", at(c.Port+4))
	for _, f := range []struct {
		name, text string
		mode       os.FileMode
	}{
		{"directories.pem", string(private), 0o600},
		{"directories-root.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert().Raw})), 0o644},
		{"node.toml", fill.Replace(setupNode), 0o600},
		{"pmode.toml", fill.Replace(setupPMode), 0o644},
		{"platform.toml", fill.Replace(setupPlatform), 0o600},
	} {
		if err := os.WriteFile(filepath.Join(c.Dir, f.name), []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	fmt.Fprintf(w.out, "oots serve node --config %s\noots test run all --config %s\n", filepath.Join(c.Dir, "node.toml"), filepath.Join(c.Dir, "platform.toml"))
	fmt.Fprintln(w.err, "Start the node with the first line and test it with the second, in another window. Both files may be changed; docs/cases.md explains them.")
	return nil
}

func at(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

const setupNode = `# A node of the environment testing, alone with the test platform.
addr = "{as4}"
operations = "{operations}"
country = "{country}"
lines = ["oots-edm:v2.0", "oots-edm:v1.2"]
domain = "ap.test.example"
keys = "keys/{node}"
pmode = "pmode.toml"
data = "data"

[tls]
roots = "keys/ca.pem"

[directory]                       # found by the platform's DNS server
naptr = "{names}"
environment = "testing"
zone = "oots.test.example"
roots = "directories-root.pem"
repository = "http://{tests}"     # where code lists of questions are read

[requester]
id = "{country}PORTAL01"
scheme = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:{country}"
name = "Portal under test"
return = "https://portal.test.example/return/"

[provider]
preview = "https://preview.test.example"
name = "Preview space under test"
contact = "help@test.example"
[provider.identity]
issuer = "https://id.test.example"
client_id = "preview"

[testing]                         # in no node of production
addr = "{orders}"
token = "{sum}"
scale = {scale}
sandbox = true                    # the diplomas of the platform's test persons
platform = "{platform}"           # takes the metadata that the node submits
`

const setupPMode = `[self]
id = "{node}"

[[partner]]
name = "platform"
id = "{platform}"
url = "http://{tests}/as4"
sign = ["keys/{platform}/sign.pem"]
encrypt = "keys/{platform}/encrypt.pem"
lines = ["oots-edm:v2.0", "oots-edm:v1.2"]

[retry]
attempts = 4
within = "{within}"                    # 12 minutes, divided by the scale
`

const setupPlatform = `# The platform that tests it: flags of "oots test run".
target = "https://{as4}/as4"
party = "{node}"
sign-cert = "keys/{node}/sign.pem"
encrypt-cert = "keys/{node}/encrypt.pem"
trust = "keys/ca.pem"
api = "http://{orders}/orders"
token = "{token}"
portal = "{country}PORTAL01"
portal-scheme = "urn:oasis:names:tc:ebcore:partyid-type:unregistered:{country}"

own = "keys/{platform}"
own-party = "{platform}"
listen = "{tests}"
names = "{names}"
signer = "directories.pem"

system = "{country}_node"
country = "{country}"
scale = {scale}
`
