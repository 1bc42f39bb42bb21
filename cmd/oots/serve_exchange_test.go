package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/exchange/dataservice"
	"github.com/once-only/oots/network"
	"github.com/once-only/oots/pki"
)

// freeAddress is a loopback address that nobody listens at.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// directoriesOf serves the seed of some countries and gives the file with the
// root of its signatures.
func directoriesOf(t *testing.T, dir string, countries ...string) (base, roots string) {
	t.Helper()
	ca, err := pki.NewCA(pki.CAConfig{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := ca.Issue(pki.Request{Name: "directories", Use: pki.Sign, Key: pki.P256})
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := commonservices.NewCatalogue(seed.Network(countries...))
	if err != nil {
		t.Fatal(err)
	}
	server, err := commonservices.NewServer(commonservices.ServerConfig{Catalogue: catalogue, Signer: &commonservices.Signer{Key: id.Signer(), Chain: id.Chain}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	roots = filepath.Join(dir, "directories.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return h.URL, roots
}

// TestServeNodesExchangeEvidence starts two nodes from their files alone and asks
// through the API for portals.
func TestServeNodesExchangeEvidence(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"keys", "init", filepath.Join(dir, "keys"), "--party", "AP_FI_DEMO_01,AP_NL_DEMO_01"}, nil, io.Discard, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	classification, _ := seed.EvidenceType("FI", "sec-diploma")
	alpha := network.Natural("Alpha", "FI")
	alpha.NaturalPerson.LevelOfAssurance = ""
	pdf := []byte("%PDF-1.7\na diploma of nobody")
	if err := (dataservice.Folder{Dir: filepath.Join(dir, "register")}).Add("1", classification, exchange.Record{Holder: "1", Subject: alpha,
		Piece: exchange.Piece{Title: "Diploma (demo)", IssuedOn: "2018-06-02", Forms: []exchange.File{{MediaType: "application/pdf", Language: "FI", Data: pdf}}}}); err != nil {
		t.Fatal(err)
	}
	directories, roots := directoriesOf(t, dir, "FI", "NL")
	addresses := map[string]string{"FI": freeAddress(t), "NL": freeAddress(t)}
	token, api := "portal-token-of-a-test-0123456789", freeAddress(t)
	sum := sha256.Sum256([]byte(token))
	parts := map[string]string{
		"NL": fmt.Sprintf("[directory]\neb = %q\ndsd = %q\nroots = %q\n[requester]\nid = \"NLPORTAL01\"\nscheme = \"urn:oasis:names:tc:ebcore:partyid-type:unregistered:NL\"\nname = \"Demo portal\"\n"+
			"return = \"https://portal.nl.example/return/\"\naddr = %q\nbase_url = \"https://api.nl.example\"\n[requester.portals]\ndemo = %q\n",
			directories+"/eb/", directories+"/dsd/", roots, api, hex.EncodeToString(sum[:])),
		"FI": fmt.Sprintf("[provider]\n[[provider.service]]\nid = \"FIDEMO0001\"\nscheme = \"urn:cef.eu:names:identifier:EAS:0037\"\nname = \"Demo Board of Education\"\n"+
			"[[provider.service.type]]\nclassification = %q\nlevel = \"Substantial\"\nfolder = \"register\"\n", classification),
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan int, 2)
	for cc, other := range map[string]string{"FI": "NL", "NL": "FI"} {
		self, partner := network.PartyOf(cc), network.PartyOf(other)
		write(cc+"-pmode.toml", fmt.Sprintf("[self]\nid = %q\ntype = %q\n[[partner]]\nid = %q\ntype = %q\nurl = \"https://%s/as4\"\nsign = [\"keys/%s/sign.pem\"]\nencrypt = \"keys/%s/encrypt.pem\"\nlines = [\"oots-edm:v2.0\", \"oots-edm:v1.2\"]\n",
			self.Value, self.Type, partner.Value, partner.Type, addresses[other], partner.Value, partner.Value))
		file := write(cc+".toml", fmt.Sprintf("addr = %q\ncountry = %q\nkeys = \"keys/%s\"\ndomain = \"ap.example\"\npmode = \"%s-pmode.toml\"\ndata = \"%s-data\"\n[tls]\nroots = \"keys/ca.pem\"\n[network]\nprivate = true\n%s",
			addresses[cc], cc, self.Value, cc, cc, parts[cc]))
		said, says := io.Pipe()
		var log bytes.Buffer
		go func() {
			code := run(ctx, []string{"serve", "node", "--config", file}, nil, says, &log)
			if code != 0 {
				t.Logf("%s: %s", cc, log.String())
			}
			says.Close()
			served <- code
		}()
		if _, err := said.Read(make([]byte, 4096)); err != nil {
			t.Fatalf("%s does not start", cc)
		}
		go io.Copy(io.Discard, said)
	}
	defer func() {
		stop()
		for range 2 {
			if code := <-served; code != 0 {
				t.Errorf("a node stopped with code %d", code)
			}
		}
	}()

	call := func(method, path, body string, into any) []byte {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for {
			r, _ := http.NewRequestWithContext(ctx, method, "http://"+api+path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "one-and-only-key")
			answer, err := http.DefaultClient.Do(r)
			if err != nil && time.Now().Before(deadline) { // it is just starting
				time.Sleep(10 * time.Millisecond)
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			got, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode >= 300 {
				t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, got, err)
			}
			if into != nil {
				if err := json.Unmarshal(got, into); err != nil {
					t.Fatal(err)
				}
			}
			return got
		}
	}
	var conversation struct {
		ID        string `json:"id"`
		Exchanges []struct {
			ID, State string
			Documents []struct{ ID string }
		} `json:"exchanges"`
	}
	call("POST", "/v1/conversations", `{"wish":{"procedure":"T2","country":"FI","languages":["en"],"preview":false,"explicit":true,
		"person":{"familyName":"Alpha","givenName":"Demo","dateOfBirth":"1999-04-17","levelOfAssurance":"Substantial","identifier":"FI/NL/DEMO-ALPHA-01"}}}`, &conversation)
	pace := time.NewTicker(50 * time.Millisecond) // the API lets a portal ask fifty times a second
	defer pace.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-pace.C {
		call("GET", "/v1/conversations/"+conversation.ID, "", &conversation)
		x := conversation.Exchanges[0]
		if x.State == "delivered" && len(x.Documents) == 1 {
			if got := call("GET", "/v1/exchanges/"+x.ID+"/documents/"+x.Documents[0].ID, "", nil); !bytes.Equal(got, pdf) {
				t.Errorf("%d octets came, not the document", len(got))
			}
			return
		}
		if x.State == "failed" || time.Now().After(deadline) {
			t.Fatalf("the exchange is %s", x.State)
		}
	}
}
