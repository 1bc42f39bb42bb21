package dataservice_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/exchange/dataservice"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/webhook"
)

const diploma = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/FI/6a6f1d6e-1c60-4a55-9a1e-7f54f2f3c001"

func query(family string) *exchange.Query {
	return &exchange.Query{Request: &edm.Request{ID: "urn:uuid:3fa85f64-5717-4562-b3fc-2c963f66afa6", Procedure: "T2",
		Requesters: []sdg.Agent{{Classification: "ER"}}, Evidence: sdg.DataServiceEvidenceType{Classification: diploma},
		NaturalPerson: &sdg.Person{FamilyName: family, GivenName: "Demo", DateOfBirth: "1999-04-17"}}}
}

func person(family, born string) exchange.Subject {
	return exchange.Subject{NaturalPerson: &sdg.Person{FamilyName: family, GivenName: "Demo", DateOfBirth: born}}
}

var pdf = []byte("%PDF-1.7 demo")

// wantAlpha is the promise of every register: Demo Alpha's diploma is among the
// candidates, with its octets, and nobody born on another day.
func wantAlpha(t *testing.T, d exchange.DataService) {
	t.Helper()
	r, err := d.Records(t.Context(), query("Alpha"))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.All) != 1 {
		t.Fatalf("%d candidates, want 1", len(r.All))
	}
	got := r.All[0]
	if got.Subject.NaturalPerson.FamilyName != "Alpha" || got.Holder != "1" || got.Piece.IssuedOn != "2018-06-02" ||
		len(got.Piece.Forms) != 1 || string(got.Piece.Forms[0].Data) != string(pdf) || got.Piece.Forms[0].MediaType != "application/pdf" || got.Piece.Forms[0].Language != "FI" {
		t.Errorf("the candidate is %+v", got)
	}
}

func TestFolder(t *testing.T) {
	f := dataservice.Folder{Dir: t.TempDir()}
	for i, s := range []exchange.Subject{person("Alpha", "1999-04-17"), person("Beta", "1985-09-02")} {
		err := f.Add(fmt.Sprintf("diplomas/%d", i+1), diploma, exchange.Record{Holder: strconv.Itoa(i + 1), Subject: s, Piece: exchange.Piece{Title: "Diploma", IssuedOn: "2018-06-02",
			Forms: []exchange.File{{MediaType: "application/pdf", Language: "FI", Data: pdf}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	wantAlpha(t, f)
}

func TestAFolderCannotBeLeft(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	register := filepath.Join(dir, "register")
	for name, file := range map[string]string{"dots": "../secret", "absolute": secret} {
		if err := os.MkdirAll(filepath.Join(register, "a"), 0o700); err != nil {
			t.Fatal(err)
		}
		src := fmt.Sprintf(`{"evidenceType":%q,"subject":{"naturalPerson":{"FamilyName":"Alpha","GivenName":"Demo","DateOfBirth":"1999-04-17"}},"forms":[{"file":%q,"mediaType":"application/pdf"}]}`, diploma, file)
		if err := errors.Join(os.WriteFile(secret, pdf, 0o600), os.WriteFile(filepath.Join(register, "a", "record.json"), []byte(src), 0o600)); err != nil {
			t.Fatal(err)
		}
		if r, err := (dataservice.Folder{Dir: register}).Records(t.Context(), query("Alpha")); err == nil {
			t.Errorf("%s: the folder was left: %+v", name, r)
		}
	}
}

func TestTable(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(dataservice.TableSchema); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{{"1", "1999-04-17"}, {"2", "1985-09-02"}} {
		if _, err := db.Exec("INSERT INTO evidence_record VALUES ($1, $2, 'Alpha', 'Demo', $3, '', '', 'p', 'Diploma', '2018-06-02', '', '', 0, '', 'application/pdf', 'FI', '', $4)",
			diploma, row[0], row[1], pdf); err != nil {
			t.Fatal(err)
		}
	}
	wantAlpha(t, dataservice.Table{DB: db})
	if _, err := (dataservice.Table{DB: db, Query: "SELECT nothing"}).Records(t.Context(), query("Alpha")); err == nil {
		t.Error("a query that cannot run gives records")
	}
}

func TestBackend(t *testing.T) {
	var asked string
	register := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file/1" {
			_, _ = w.Write(pdf)
			return
		}
		asked = r.URL.Query().Get("name") + r.Header.Get("Authorization")
		if asked != "AlphaBearer 1" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"results":[{"id":"1","name":{"last":"Alpha","first":"Demo"},"born":"1999-04-17","on":"2018-06-02","href":"/file/1","inline":%q},
			{"id":"2","name":{"last":"Alpha","first":"Demo"},"born":"1985-09-02"}]}`, base64.StdEncoding.EncodeToString(pdf))
	}))
	defer register.Close()
	b := &dataservice.Backend{Find: register.URL + "/people?name={familyName}&born={dateOfBirth}", List: "results", Headers: map[string]string{"Authorization": "Bearer 1"},
		Fields: map[string]string{"holder": "id", "familyName": "name.last", "givenName": "name.first", "dateOfBirth": "born", "issuedOn": "on", "documentURL": "href"},
		Fixed:  map[string]string{"mediaType": "application/pdf", "language": "FI"}}
	wantAlpha(t, b)
	b.Fields["document"] = "inline"
	delete(b.Fields, "documentURL")
	wantAlpha(t, b)
	if r, err := b.Records(t.Context(), query("Omega&x=1")); err != nil || len(r.All) != 0 {
		t.Errorf("an unknown person: %v, %v", r, err)
	}
	b.Fields["document"], b.Fields["documentURL"] = "none", "elsewhere"
	b.Fixed["documentURL"] = "http://other.example/file"
	if _, err := b.Records(t.Context(), query("Alpha")); err == nil {
		t.Error("a document of another host was fetched")
	}
	b.Find = "http://127.0.0.1:1/people?name={familyName}"
	if _, err := b.Records(t.Context(), query("Alpha")); err == nil || strings.Contains(err.Error(), "Alpha") {
		t.Errorf("the error tells the person, or there is none: %v", err)
	}
	for name, bad := range map[string]dataservice.Backend{"no address": {}, "unknown field": {Find: "https://a.example/", Fields: map[string]string{"shoe": "size"}}} {
		if bad.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestCallback(t *testing.T) {
	const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="
	var answer dataservice.CallbackAnswer
	with := secret
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, at := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
		var q dataservice.CallbackQuestion
		if r.Header.Get("Webhook-Signature") != webhook.Signature(secret, id, at, body) || json.Unmarshal(body, &q) != nil || q.Subject.NaturalPerson.FamilyName != "Alpha" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		out, _ := json.Marshal(answer)
		now := strconv.FormatInt(time.Now().Unix(), 10)
		w.Header().Set("Webhook-Timestamp", now)
		w.Header().Set("Webhook-Signature", webhook.Signature(with, id, now, out))
		_, _ = w.Write(out)
	}))
	defer system.Close()
	c := dataservice.Callback{URL: system.URL, Secret: secret}
	answer.Records = []exchange.Record{{Holder: "1", Subject: person("Alpha", "1999-04-17"), Piece: exchange.Piece{IssuedOn: "2018-06-02", Forms: []exchange.File{{MediaType: "application/pdf", Language: "FI", Data: pdf}}}}}
	wantAlpha(t, c)
	answer = dataservice.CallbackAnswer{Error: edm.ObjectNotFound}
	var x *edm.Exception
	if _, err := c.Records(t.Context(), query("Alpha")); !errors.As(err, &x) || x.Code != edm.ObjectNotFound {
		t.Errorf("the code of the system is lost: %v", err)
	}
	with = "whsec_b3RoZXI="
	if _, err := c.Records(t.Context(), query("Alpha")); err == nil {
		t.Error("an answer with a bad signature is taken")
	}
	with = secret
	c.Now = func() time.Time { return time.Now().Add(time.Hour) }
	if _, err := c.Records(t.Context(), query("Alpha")); err == nil {
		t.Error("an old answer is taken")
	}
}

func TestRecordsAreGivenUpInTime(t *testing.T) {
	hang := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer slow.Close()
	defer close(hang)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := (dataservice.Callback{URL: slow.URL}).Records(ctx, query("Alpha")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slow system: %v", err)
	}
}
