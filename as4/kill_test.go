package as4_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/store"
)

// TestMain lets the test binary be one of the two processes that
// TestKilledAtAnyInstant kills.
func TestMain(m *testing.M) {
	if role := os.Getenv("OOTS_AS4_PROCESS"); role != "" {
		if err := process(role); err != nil {
			fmt.Fprintln(os.Stderr, role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// counting is a corner that writes a row for each delivery and each settled
// message, through the store of its access point.
type counting struct{ db *store.DB }

func (c counting) row(ctx context.Context, table, id, state string) error {
	return c.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO "+table+" (id, state) VALUES ($1, $2)", id, state)
		return err
	})
}

func (c counting) Deliver(ctx context.Context, m *as4.Message) error {
	return c.row(ctx, "delivered", m.Header.MessageID, "")
}

func (c counting) Settled(ctx context.Context, m as4.Outgoing) error {
	return c.row(ctx, "settled", m.MessageID, string(m.State))
}

func openCounting(dir string) (*store.DB, error) {
	db, err := store.Open(context.Background(), dir, store.Options{})
	if err != nil {
		return nil, err
	}
	for _, table := range []string{"delivered", "settled"} {
		if _, err := db.Exec("CREATE TABLE IF NOT EXISTS " + table + " (id TEXT NOT NULL, state TEXT NOT NULL)"); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// process is the sender or the receiver; it works until it is killed.
func process(role string) error {
	dir := os.Getenv("OOTS_AS4_DIR")
	me, other := "AP_FI_01", "AP_PT_01"
	if role == "receiver" {
		me, other = other, me
	}
	db, err := openCounting(filepath.Join(dir, role))
	if err != nil {
		return err
	}
	own, err := pki.LoadParty(filepath.Join(dir, me))
	if err != nil {
		return err
	}
	partner, err := pki.LoadParty(filepath.Join(dir, other))
	if err != nil {
		return err
	}
	sets, _ := as4.PropertySets("oots-edm:v2.0")
	mode := &as4.PMode{Self: as4.Partner{ID: partyID(me)}, Legs: as4.OOTSLegs(), Retry: as4.Retry{Attempts: 1000, Within: 50 * time.Second},
		Partners: []*as4.Partner{{ID: partyID(other), URL: os.Getenv("OOTS_AS4_URL"), Sign: []*x509.Certificate{partner.Sign.Cert()}, Encrypt: partner.Encrypt.Cert(), Properties: sets}}}
	ap, err := as4.New(as4.Config{PMode: mode, Sign: own.Sign, Decrypt: []*pki.Identity{own.Encrypt}, Store: db.AS4(),
		Files: as4.Folder(filepath.Join(dir, role, "parts")), Handler: counting{db}, Lease: time.Second, Client: &http.Client{Timeout: 2 * time.Second}})
	if err != nil {
		return err
	}
	if role == "receiver" {
		return http.ListenAndServe(os.Getenv("OOTS_AS4_LISTEN"), ap)
	}
	go ap.Run(context.Background())
	n, _ := strconv.Atoi(os.Getenv("OOTS_AS4_MESSAGES"))
	for i := range n {
		m := request()
		m.MessageID = fmt.Sprintf("m%04d@fi.example", i)
		if _, err := ap.Submit(context.Background(), m, []as4.Part{xmlPart(fmt.Sprintf("<query:QueryRequest id='%d'/>", i))}); err != nil && !errors.Is(err, as4.ErrKnown) {
			return err
		}
	}
	select {}
}

// flaky forwards to a receiver over a bad link: it drops, doubles, delays and
// cuts, and sometimes a proxy's own page stands in the way.
func flaky(target string, rng func(int) int) http.Handler {
	client := &http.Client{Timeout: 3 * time.Second}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		forward := func() (*http.Response, []byte) {
			req, _ := http.NewRequest(http.MethodPost, target, bytes.NewReader(body))
			req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
			resp, err := client.Do(req)
			if err != nil {
				return nil, nil
			}
			defer resp.Body.Close()
			answer, _ := io.ReadAll(resp.Body)
			return resp, answer
		}
		fate := rng(20)
		if fate == 0 { // lost on the way
			panic(http.ErrAbortHandler)
		}
		if fate == 1 { // doubled
			forward()
		}
		resp, answer := forward()
		switch {
		case fate == 2 || resp == nil: // the answer is lost
			panic(http.ErrAbortHandler)
		case fate == 3:
			http.Error(w, "<html><body>Bad gateway</body></html>", http.StatusBadGateway)
			return
		case fate == 4:
			answer = answer[:len(answer)/2]
		}
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		w.Write(answer)
	})
}

// TestKilledAtAnyInstant kills sender or receiver at random instants while
// messages travel over a bad link: each is delivered exactly once, each is
// acknowledged, nothing is stuck.
func TestKilledAtAnyInstant(t *testing.T) {
	kills, messages := 200, 1000
	if testing.Short() {
		kills, messages = 10, 50
	}
	dir := t.TempDir()
	known, err := parties()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AP_FI_01", "AP_PT_01"} {
		if err := known[name].Save(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	listen := freePort(t)
	rng := rand.New(rand.NewPCG(1, 2))
	fates := make(chan int, 64)
	done := make(chan bool)
	defer close(done)
	go func() {
		fate := rand.New(rand.NewPCG(3, 4))
		for {
			select {
			case fates <- fate.IntN(20):
			case <-done:
				return
			}
		}
	}()
	link, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &http.Server{Handler: flaky("http://"+listen+"/as4", func(int) int { return <-fates })}
	go proxy.Serve(link)
	defer proxy.Close()

	trouble, err := os.Create(filepath.Join(dir, "trouble.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer trouble.Close()
	start := func(role string) *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "OOTS_AS4_PROCESS="+role, "OOTS_AS4_DIR="+dir, "OOTS_AS4_URL=http://"+link.Addr().String()+"/as4",
			"OOTS_AS4_LISTEN="+listen, "OOTS_AS4_MESSAGES="+strconv.Itoa(messages))
		c.Stderr = trouble
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	running := map[string]*exec.Cmd{"sender": start("sender"), "receiver": start("receiver")}
	stop := func(role string) {
		running[role].Process.Kill()
		running[role].Wait()
	}
	defer func() { stop("sender"); stop("receiver") }()

	sender, err := openCounting(filepath.Join(dir, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	settled := func() (n int) {
		if err := sender.QueryRow("SELECT COUNT(*) FROM settled").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	killed := 0
	deadline := time.Now().Add(4 * time.Minute)
	for killed < kills || settled() < messages {
		if time.Now().After(deadline) {
			t.Fatalf("after %d kills %d of %d messages are settled\n%s", killed, settled(), messages, tail(trouble.Name()))
		}
		wait := time.Duration(20+rng.IntN(120)) * time.Millisecond
		if killed >= kills {
			wait = 100 * time.Millisecond
		}
		<-time.After(wait) // the random instant
		if killed < kills {
			role := []string{"sender", "receiver"}[rng.IntN(2)]
			stop(role)
			running[role] = start(role)
			killed++
		}
	}
	stop("sender")
	stop("receiver")

	receiver, err := openCounting(filepath.Join(dir, "receiver"))
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	for name, c := range map[string]struct {
		db   *store.DB
		text string
		want int
	}{
		"messages delivered":        {receiver, "SELECT COUNT(DISTINCT id) FROM delivered", messages},
		"deliveries":                {receiver, "SELECT COUNT(*) FROM delivered", messages},
		"messages settled":          {sender, "SELECT COUNT(*) FROM settled", messages},
		"acknowledgements":          {sender, "SELECT COUNT(*) FROM settled WHERE state = 'acknowledged'", messages},
		"messages stuck in a queue": {sender, "SELECT COUNT(*) FROM as4_outgoing WHERE state = 'queued'", 0},
	} {
		var n int
		if err := c.db.QueryRow(c.text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != c.want {
			t.Errorf("%d %s, want %d", n, name, c.want)
		}
	}
	// Each receipt proves what was sent.
	rows, err := sender.Query("SELECT message_id FROM as4_outgoing")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		m, _, err := sender.AS4().Sent(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		in, err := receiver.AS4().Inbound(t.Context(), partyID("AP_FI_01"), id)
		if err != nil || !sameReceipt(m.Receipt, in.Receipt) {
			t.Errorf("%s: the sender's receipt is not the one that the receiver kept (%v)", id, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "sender", "parts", "*.part")); len(left) > kills { // a kill between the end of a message and the removal of its part
		t.Errorf("%d parts of acknowledged messages were left behind", len(left))
	}
}

func sameReceipt(a, b []byte) bool { return len(a) > 0 && bytes.Equal(a, b) }

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// tail are the last lines of a file.
func tail(name string) string {
	b, _ := os.ReadFile(name)
	lines := strings.Split(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}
