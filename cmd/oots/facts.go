package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/store"
)

type facts struct {
	Import      factsImport      `cmd:"" help:"Append the facts of a file (JSON Lines), all or none."`
	Export      factsExport      `cmd:"" help:"Write facts as JSON Lines, in the order of the ledger."`
	Verify      factsVerify      `cmd:"" help:"Check facts and published snapshots: nothing was changed, taken out or put in."`
	Proof       factsProof       `cmd:"" help:"Prove that a fact is in the ledger, or check such a proof."`
	Checkpoint  factsCheckpoint  `cmd:"" help:"The signed size and root of the ledger, to keep elsewhere."`
	Consistency factsConsistency `cmd:"" help:"Prove that the ledger only grew between two sizes."`
	Schema      factsSchema      `cmd:"" help:"The JSON Schema of a line of a facts file."`
}

// ledgerFlags name the store and the key that signs its checkpoints.
type ledgerFlags struct {
	Data string `default:"data" env:"OOTS_DATA" placeholder:"DIR" help:"Folder of the store, or a postgres:// address (${default})."`
	Key  string `env:"OOTS_LEDGER_KEY" placeholder:"FILE" help:"Private key for checkpoints; without it the store keeps its own."`
}

// open opens the ledger; mustExist refuses a folder without a store.
func (f ledgerFlags) open(ctx context.Context, mustExist bool) (*store.DB, *ledger.Ledger, *ledger.Key, error) {
	db, err := store.Open(ctx, f.Data, store.Options{MustExist: mustExist})
	if err != nil {
		if errors.Is(err, store.ErrNoStore) {
			err = fmt.Errorf("%w; name another folder with --data, or begin one with `oots facts import FILE`", err)
		}
		return nil, nil, nil, err
	}
	key, err := f.key(ctx, db)
	if err != nil {
		db.Close()
		return nil, nil, nil, err
	}
	return db, ledger.New(ledger.Config{Store: db.Ledger(), Key: key}), key, nil
}

func (f ledgerFlags) key(ctx context.Context, db *store.DB) (*ledger.Key, error) {
	if f.Key == "" {
		return db.LedgerKey(ctx)
	}
	private, err := os.ReadFile(f.Key)
	if err != nil {
		return nil, err
	}
	key, err := ledger.ParseKey(string(private))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Key, err)
	}
	return key, nil
}

// answer turns what the ledger refuses or finds broken into exit code 1; any
// other error means that the command could not tell.
func answer(err error) error {
	var refused *ledger.Refusal
	var broken *ledger.Broken
	if errors.As(err, &refused) || errors.As(err, &broken) || errors.Is(err, ledger.ErrNotFound) {
		return no("%s", err)
	}
	return err
}

type factsImport struct {
	File string `arg:"" help:"Facts file, - for standard input."`
	ledgerFlags
}

// Run appends a facts file and prints the receipt as JSON.
func (c factsImport) Run(w *world) error {
	in, err := c.input(w)
	if err != nil {
		return err
	}
	defer in.Close()
	db, l, _, err := c.open(w, false)
	if err != nil {
		return err
	}
	defer db.Close()
	p := newFactsProgress(w.err)
	receipt, err := l.Import(w, in, ledger.ImportOptions{Progress: func(n int) { p.say("%d lines", n) }})
	p.end()
	if err != nil {
		err = answer(err)
		var e exit
		if errors.As(err, &e) {
			return no("%s: %s; nothing was imported", c.File, e.msg)
		}
		return err
	}
	fmt.Fprintf(w.err, "%d facts added, %d were there already; the ledger has %d\n", receipt.Added, receipt.Known, receipt.Size)
	return printJSON(w.out, map[string]any{"added": receipt.Added, "known": receipt.Known, "size": receipt.Size})
}

// input opens the file. Standard input is first spooled, because the store is
// locked for others while an import reads.
func (c factsImport) input(w *world) (*os.File, error) {
	if c.File != "-" {
		return os.Open(c.File)
	}
	f, err := os.CreateTemp("", "oots-facts-*.jsonl")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // gone with the process
	if _, err := io.Copy(f, w.in); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

type factsExport struct {
	ledgerFlags
	Country string `placeholder:"CC" help:"Only facts about this country."`
	Kind    string `placeholder:"KIND" help:"Only facts of this kind."`
	Since   string `placeholder:"TIME" help:"Only facts recorded at or after this date or RFC 3339 time."`
}

// Run writes canonical lines to stdout.
func (c factsExport) Run(w *world) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	db, l, _, err := c.open(w, true)
	if err != nil {
		return err
	}
	defer db.Close()
	out := bufio.NewWriterSize(w.out, 1<<16)
	if err := l.Export(w, out, f); err != nil {
		return answer(err)
	}
	return out.Flush()
}

func (c factsExport) filter() (ledger.Filter, error) {
	f := ledger.Filter{Country: c.Country, Kind: ledger.Kind(c.Kind)}
	if c.Country != "" && !slices.Contains(ledger.Countries, c.Country) {
		return f, fmt.Errorf("--country: %s", ledger.CountryError(c.Country))
	}
	if c.Kind != "" && ledger.RuleOf(f.Kind) == nil {
		var kinds []string
		for _, r := range ledger.Kinds {
			kinds = append(kinds, string(r.Kind))
		}
		return f, fmt.Errorf("--kind: %q is no kind of fact; it is one of %s", c.Kind, strings.Join(kinds, " "))
	}
	if c.Since != "" {
		since, err := time.Parse(time.RFC3339, c.Since)
		if err != nil {
			since, err = time.Parse(time.DateOnly, c.Since)
		}
		if err != nil {
			return f, fmt.Errorf("--since: %q is no date; write 2026-03-31 or 2026-03-31T12:00:00Z", c.Since)
		}
		f.Since = since
	}
	return f, nil
}

type factsVerify struct {
	ledgerFlags
	Checkpoint string `placeholder:"FILE" help:"A checkpoint kept elsewhere, of which this ledger must be a continuation."`
	Public     string `placeholder:"KEY" help:"Public key (its text, or a file that holds it) that checkpoints must be signed with."`
}

// Run verifies the chain of facts and that of snapshots, and prints size, root
// and the number of snapshots as JSON.
func (c factsVerify) Run(w *world) error {
	var o ledger.VerifyOptions
	var err error
	if c.Checkpoint != "" {
		if o.Checkpoint, err = os.ReadFile(c.Checkpoint); err != nil {
			return err
		}
	}
	if o.Public, err = publicKey(c.Public); err != nil {
		return err
	}
	db, l, key, err := c.open(w, true)
	if err != nil {
		return err
	}
	defer db.Close()
	p := newFactsProgress(w.err)
	o.Progress = func(n, total int64) { p.say("%d of %d entries", n, total) }
	head, err := l.Verify(w, o)
	p.end()
	if err != nil {
		err = answer(err)
		var e exit
		if errors.As(err, &e) {
			return no("the ledger does not verify: %s", e.msg)
		}
		return err
	}
	if o.Public == "" {
		o.Public = key.Public()
	}
	snapshots, err := verifySnapshots(w, db, o.Public)
	if err != nil {
		return meterAnswer(err)
	}
	fmt.Fprintf(w.err, "all %d entries fit\nall %d published snapshots fit\n", head.Size, snapshots)
	return printJSON(w.out, map[string]any{"size": head.Size, "root": head.Root.String(), "snapshots": snapshots})
}

// verifySnapshots checks number, chain, hash and signature of the published
// snapshots, and counts them.
func verifySnapshots(ctx context.Context, db *store.DB, public string) (int, error) {
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return 0, err
	}
	list, err := db.Snapshots().All(ctx)
	if err != nil {
		return 0, err
	}
	return len(list), acceleratormeter.VerifySnapshots(list, note.VerifierList(verifier))
}

// verified is what must hold before a snapshot is published: nobody changed the
// ledger or an earlier snapshot by hand.
func verified(db *store.DB, l *ledger.Ledger, key *ledger.Key) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := l.Verify(ctx, ledger.VerifyOptions{}); err != nil {
			return err
		}
		_, err := verifySnapshots(ctx, db, key.Public())
		return err
	}
}

// publicKey is a key's text, or the content of the file of that name.
func publicKey(text string) (string, error) {
	if text == "" || strings.Count(text, "+") >= 2 {
		return text, nil
	}
	b, err := os.ReadFile(text)
	if err != nil {
		return "", fmt.Errorf("--public: %w; give the key (name+hash+key) or a file that holds it", err)
	}
	return strings.TrimSpace(string(b)), nil
}

type factsProof struct {
	ID string `arg:"" optional:"" help:"Id of the fact."`
	ledgerFlags
	Size   int64  `placeholder:"N" help:"In the tree of N entries instead of the present one."`
	Check  string `placeholder:"FILE" help:"Check a proof instead of making one; no store is needed."`
	Public string `placeholder:"KEY" help:"With --check: public key that the proof's checkpoint must be signed with."`
}

// Run prints an inclusion proof as JSON, or checks one.
func (c factsProof) Run(w *world) error {
	if (c.ID == "") == (c.Check == "") {
		return errors.New("give the id of a fact, or --check FILE: one of the two")
	}
	if c.Check != "" {
		return c.check(w)
	}
	db, l, _, err := c.open(w, true)
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := l.Proof(w, c.ID, c.Size)
	if err != nil {
		return answer(err)
	}
	return printJSON(w.out, p)
}

func (c factsProof) check(w *world) error {
	b, err := os.ReadFile(c.Check)
	if err != nil {
		return err
	}
	public, err := publicKey(c.Public)
	if err != nil {
		return err
	}
	var p ledger.Proof
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("%s is no proof: %w", c.Check, err)
	}
	if err := p.Check(public); err != nil {
		return no("the proof does not hold: %s", err)
	}
	trust := ""
	if public == "" {
		trust = " (with --public KEY the checkpoint's signature is checked too)"
	}
	fmt.Fprintf(w.err, "the proof holds: fact %s is entry %d of %d%s\n", p.ID, p.Position, p.Size, trust)
	return nil
}

type factsCheckpoint struct {
	ledgerFlags
	Public bool `help:"Print the public key instead."`
}

// Run prints the signed note.
func (c factsCheckpoint) Run(w *world) error {
	db, l, key, err := c.open(w, true)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Public {
		_, err := fmt.Fprintln(w.out, key.Public())
		return err
	}
	note, err := l.Checkpoint(w)
	if err != nil {
		return answer(err)
	}
	_, err = w.out.Write(note)
	return err
}

type factsConsistency struct {
	From int64 `arg:"" help:"Entries of the older tree."`
	To   int64 `arg:"" optional:"" help:"Entries of the newer tree; the present one when left out."`
	ledgerFlags
}

// Run prints a consistency proof as JSON.
func (c factsConsistency) Run(w *world) error {
	db, l, _, err := c.open(w, true)
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := l.Consistency(w, c.From, c.To)
	if err != nil {
		return answer(err)
	}
	return printJSON(w.out, p)
}

type factsSchema struct{}

// Run prints the JSON Schema.
func (factsSchema) Run(w *world) error {
	_, err := w.out.Write(ledger.Schema())
	return err
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// factsProgress is one line on a terminal, rewritten while something takes longer
// than a second; elsewhere it is silent.
type factsProgress struct {
	w     io.Writer // nil: silent
	begun time.Time
	last  time.Time
	shown bool
}

func newFactsProgress(w io.Writer) *factsProgress {
	p := &factsProgress{begun: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	return p
}

func (p *factsProgress) say(format string, args ...any) {
	now := time.Now()
	if p.w == nil || now.Sub(p.begun) < time.Second || now.Sub(p.last) < 200*time.Millisecond {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
}

func (p *factsProgress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
