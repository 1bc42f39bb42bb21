package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/store"
	"github.com/once-only/oots/suites"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

type test struct {
	List  testList  `cmd:"" help:"Suites and cases, or what a case may name."`
	Run   testRun   `cmd:"" help:"Play a case, a suite or all against a system."`
	New   testNew   `cmd:"" help:"Write the skeleton of a case."`
	Setup testSetup `cmd:"" help:"Keys and configurations of a node and of the platform that tests it."`
}

// cases loads the suites of this build, or a folder's, which may stand on the
// base messages of this build.
func cases(w *world, dir string) (*testbed.Catalogue, error) {
	c, err := testbed.Load(suites.Files)
	if err == nil && dir != "" {
		c, err = testbed.LoadOver(os.DirFS(dir), c)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range c.Problems {
		fmt.Fprintln(w.err, "oots:", p)
	}
	return c, nil
}

type testList struct {
	Suite      string `arg:"" optional:"" help:"Only this suite."`
	Cases      string `type:"existingdir" help:"Folder of suites; those of this build otherwise."`
	Faults     bool   `help:"The faults that cases exist to find."`
	Deviations bool   `help:"The deviations of AS4 messages that a case may send."`
	Directory  bool   `help:"The ways in which the platform's directories and its DNS can answer."`
	Verbs      bool   `help:"The steps that a case may have."`
}

// Run lists.
func (c testList) Run(w *world) error {
	switch {
	case c.Faults:
		for _, f := range partner.AllFaults() {
			fmt.Fprintf(w.out, "%-32s %s\n", f.Name, f.About)
		}
		return nil
	case c.Deviations:
		for _, d := range partner.Deviations {
			fmt.Fprintf(w.out, "%-22s %s\n", d.Name, d.About)
		}
		return nil
	case c.Directory:
		for _, way := range testbed.Ways() {
			fmt.Fprintf(w.out, "%-10s %-22s %s\n", way.Verb, way.Name, way.About)
		}
		return nil
	case c.Verbs:
		for _, v := range testbed.Verbs() {
			fmt.Fprintf(w.out, "%s\n%14s%s\n", strings.TrimSpace(v.Verb+" "+v.Usage), "", v.About)
		}
		return nil
	}
	catalogue, err := cases(w, c.Cases)
	if err != nil {
		return err
	}
	if c.Suite != "" && catalogue.Suite(c.Suite) == nil {
		return fmt.Errorf("there is no suite %q; oots test list shows all", c.Suite)
	}
	n := 0
	for _, s := range catalogue.Suites {
		if c.Suite != "" && !strings.EqualFold(c.Suite, s.Name) {
			continue
		}
		fmt.Fprintf(w.out, "%s  %s (%d cases)\n", s.Name, s.Title, len(s.Cases))
		for _, k := range s.Cases {
			fmt.Fprintf(w.out, "  %-14s %-20s %s\n", k.ID, played(k), k.Title)
			n++
		}
	}
	fmt.Fprintf(w.out, "%d cases, catalogue %s\n", n, catalogue.Version)
	return nil
}

// played says who plays a case: the role, or the components of a peer case.
func played(k *testbed.Case) string {
	if !k.Peer() {
		return k.Role
	}
	var components []string
	for _, role := range k.Roles {
		for _, r := range testbed.Roles {
			if r.Role == role {
				components = append(components, r.Component)
			}
		}
	}
	return strings.Join(components, " with ")
}

type testRun struct {
	What   string          `arg:"" help:"Id of a case, name of a suite, or all."`
	Config kong.ConfigFlag `type:"existingfile" help:"File (TOML) that says the flags below; one given here wins."`
	Target string          `required:"" help:"AS4 address of the system under test; practice, or practice:FAULT, plays against the practice system."`
	Cases  string          `type:"existingdir" help:"Folder of suites; those of this build otherwise."`

	Party        string        `help:"Party id of the system under test." default:"AP_FI_DEMO_01"`
	SignCert     string        `type:"existingfile" help:"Certificate it signs with."`
	EncryptCert  string        `type:"existingfile" help:"Certificate messages to it are encrypted for."`
	Trust        string        `type:"existingfile" help:"Certificates that its TLS certificate may come from (PEM)."`
	API          string        `help:"Address where it takes orders, to tell it to act (docs/cases.md)."`
	Directory    string        `help:"Address of its own directories, below which eb/ and dsd/ stand."`
	DirRoot      string        `name:"directory-root" type:"existingfile" help:"Root certificate under which its directories sign."`
	Portal       string        `help:"Identifier of its evidence requester."`
	PortalScheme string        `help:"Scheme of that identifier." default:"urn:cef.eu:names:identifier:EAS:0037"`
	Token        string        `help:"Token for its API." env:"OOTS_TEST_TOKEN"`
	Own          string        `type:"existingdir" help:"Folder with the platform's keys (oots keys init)."`
	OwnParty     string        `help:"Party id of the platform." default:"AP_NL_TEST_01"`
	Listen       string        `help:"Where the platform listens." default:"127.0.0.1:0"`
	OwnURL       string        `name:"own-url" help:"How the system under test reaches the platform; http on the listening address otherwise."`
	Names        string        `help:"Where the platform's DNS server listens, which leads to its directories (host:port); none otherwise."`
	Signer       string        `type:"existingfile" help:"Key and certificates that sign what the platform's directories answer; new ones otherwise."`
	Root         string        `help:"Write the root certificate of the platform's directories to this file."`
	Patience     time.Duration `help:"Longest wait for one message." default:"30s"`
	Scale        float64       `help:"How many times faster its clocks T1 to T3 run." default:"1"`

	Role      []string `help:"Roles it plays; all otherwise."`
	System    string   `help:"Name of the system." default:"system under test"`
	Country   string   `help:"Its country." default:"FI"`
	Component []string `help:"Codes of the components under test; those that the suites prove otherwise."`
	Version   string   `help:"Version of these components." default:"1"`
	Mode      string   `help:"How it works." enum:"manual,test-tool,automated" default:"automated"`
	Line      string   `help:"Specification line." default:"oots-edm:v2.0"`

	Format      string `help:"Form of the report." enum:"text,json,junit,html" default:"text"`
	Out         string `help:"File for the report; standard output otherwise."`
	Report      string `help:"File for the signed report, which the platform takes as facts."`
	Key         string `type:"existingfile" help:"Private key that signs it (oots keys report makes one)."`
	Submit      string `placeholder:"URL" help:"Address of a platform to hand the signed report in to."`
	SubmitToken string `env:"OOTS_SUBMIT_TOKEN" help:"Token for it, of the scope reports:write."`
	Data        string `help:"Store to append the facts to." env:"OOTS_DATA"`
	Environment string `help:"Where this was tested." default:"testing"`
	Sample      bool   `help:"Mark the facts as invented data."`
	Compare     string `type:"existingfile" help:"Earlier report (JSON) to compare with."`
}

// Run plays, reports, and ends with 1 when something failed.
func (c testRun) Run(w *world) error {
	catalogue, err := cases(w, c.Cases)
	if err != nil {
		return err
	}
	wanted, err := c.wanted(catalogue)
	if err != nil {
		return err
	}
	for _, code := range c.Component {
		if testbed.FindComponent(code) == nil {
			return fmt.Errorf("--component %s: no component has this code; there are %s", code, strings.Join(testbed.Codes(), ", "))
		}
	}
	r, err := c.runner(w, catalogue, wanted)
	if err != nil {
		return err
	}
	defer r.Close()
	if terminal(w.err) {
		n := 0
		r.Progress = func(run *testbed.Run) {
			n++
			fmt.Fprintf(w.err, "\r%d of %d  %-14s %-20s", n, len(wanted), run.Case, run.Result)
		}
		defer fmt.Fprintln(w.err)
	}
	var runs []*testbed.Run
	for _, k := range wanted {
		run, err := r.Play(w, k)
		if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	report := testbed.NewReport(r, ledger.Environment(c.Environment), time.Now(), runs)
	if report.Components = c.Component; len(c.Component) == 0 {
		report.Components = testbed.ProvenBy(wanted)
	}
	if err := c.write(w, report); err != nil {
		return err
	}
	if err := c.handIn(w, report, catalogue); err != nil {
		return err
	}
	switch {
	case report.Count(testbed.Fail) > 0:
		return no("%d of %d cases failed", report.Count(testbed.Fail), len(runs))
	case report.Count(testbed.Broken) > 0:
		return fmt.Errorf("%d cases could not be judged: the platform failed", report.Count(testbed.Broken))
	case len(runs) == 1 && runs[0].Result == testbed.NotApplicable:
		return fmt.Errorf("nothing was played: %s", runs[0].Why)
	case report.Count(testbed.Pass, testbed.Warnings, testbed.NeedsReview) == 0:
		return fmt.Errorf("nothing was played: no case applies to this system, or it could not be told to act")
	}
	return nil
}

func (c testRun) wanted(catalogue *testbed.Catalogue) ([]*testbed.Case, error) {
	if k := catalogue.Case(c.What); k != nil {
		return []*testbed.Case{k}, nil
	}
	var out []*testbed.Case
	for _, s := range catalogue.Suites {
		if c.What == "all" || strings.EqualFold(s.Name, c.What) {
			out = append(out, s.Cases...)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no case and no suite %q; oots test list shows all", c.What)
	}
	return out, nil
}

func (c testRun) runner(w *world, catalogue *testbed.Catalogue, wanted []*testbed.Case) (*testbed.Runner, error) {
	describe := func(t *testbed.Target) {
		t.Name, t.Country, t.Version, t.Mode, t.Roles = c.System, c.Country, c.Version, c.Mode, c.Role
	}
	if fault, ok := strings.CutPrefix(c.Target, "practice"); ok {
		names := slices.ContainsFunc(wanted, func(k *testbed.Case) bool { return k.Suite == "CS-DISC" })
		r, err := testbed.NewLab(testbed.LabConfig{Catalogue: catalogue, Fault: strings.TrimPrefix(fault, ":"), Line: c.Line, Names: names})
		if err != nil {
			return nil, err
		}
		describe(&r.Target)
		return r, nil
	}
	if c.Own == "" || c.SignCert == "" || c.EncryptCert == "" {
		return nil, fmt.Errorf("a system elsewhere needs --own, --sign-cert and --encrypt-cert")
	}
	own, err := pki.LoadParty(c.Own)
	if err != nil {
		return nil, err
	}
	sign, err := certificates(c.SignCert)
	if err != nil {
		return nil, err
	}
	encrypt, err := certificates(c.EncryptCert)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Trust != "" {
		roots, err := certificates(c.Trust)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		for _, root := range roots {
			config.RootCAs.AddCert(root)
		}
	}
	asks := partner.DefaultData()
	if c.Portal != "" {
		asks.Requester.Identifier = sdg.Identifier{Scheme: c.PortalScheme, Value: c.Portal}
	}
	asks.Requester.Address = &sdg.Address{AdminUnitLevel1: c.Country}
	target := testbed.Target{Peer: partner.Peer{ID: partner.PartyID(c.Party), URL: c.Target, Sign: sign, Encrypt: encrypt[0]},
		Data: partner.Sandbox(c.Country), Asks: &asks}
	if c.Directory != "" {
		target.Instance = &partner.Instance{Base: strings.TrimSuffix(c.Directory, "/") + "/", HTTP: &http.Transport{TLSClientConfig: config}}
		if c.DirRoot != "" {
			if target.Instance.Roots, err = certificates(c.DirRoot); err != nil {
				return nil, err
			}
		}
	}
	if c.API != "" {
		target.Driver = &testbed.HTTPDriver{URL: c.API, Token: c.Token}
	}
	describe(&target)
	var signer *pki.Identity
	if c.Signer != "" {
		if signer, err = readIdentity(c.Signer, ""); err != nil {
			return nil, err
		}
	}
	r, err := testbed.Connect(w, testbed.Connection{Catalogue: catalogue, Target: target, Own: own, Name: c.OwnParty, Listen: c.Listen, URL: c.OwnURL,
		TLS: config, Line: c.Line, Scale: c.Scale, Patience: c.Patience, Names: c.Names, Signer: signer})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w.err, "the platform %s listens at %s\n", c.OwnParty, r.Platform.Peer().URL)
	if c.Root != "" {
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Platform.Directories.Root.Raw})
		if err := os.WriteFile(c.Root, block, 0o644); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func certificates(file string) ([]*x509.Certificate, error) {
	entries, err := pki.ReadFile(file, "")
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pki.Certificates(entries), nil
}

func (c testRun) write(w *world, report *testbed.Report) error {
	out := w.out
	if c.Out != "" {
		f, err := os.Create(c.Out)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
	}
	forms := map[string]func(io.Writer) error{"text": report.WriteText, "json": report.WriteJSON, "junit": report.WriteJUnit, "html": report.WriteHTML}
	if err := forms[c.Format](out); err != nil {
		return err
	}
	if c.Compare == "" {
		return nil
	}
	before, err := testbed.ReadReport(c.Compare)
	if err != nil {
		return err
	}
	for _, change := range testbed.Compare(before, report) {
		fmt.Fprintf(w.err, "%s: %s before, %s now\n", change.Case, orNothing(change.Before), orNothing(change.After))
	}
	return nil
}

func orNothing(r testbed.Result) string {
	if r == "" {
		return "not played"
	}
	return string(r)
}

// handIn signs the report, and hands it in or appends its facts.
func (c testRun) handIn(w *world, report *testbed.Report, catalogue *testbed.Catalogue) error {
	report.Sample = c.Sample
	if c.Report != "" || c.Submit != "" {
		signed, err := c.sign(w, report)
		if err != nil {
			return err
		}
		if c.Submit != "" {
			if err := c.submit(w, signed); err != nil {
				return err
			}
		}
	}
	if c.Data == "" {
		return nil
	}
	db, err := store.Open(w, c.Data, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	key, err := db.LedgerKey(w)
	if err != nil {
		return err
	}
	for _, run := range report.Runs {
		if err := db.Testbed().Save(w, run); err != nil {
			return err
		}
	}
	facts := report.Facts(catalogue, c.Sample)
	if _, err := ledger.New(ledger.Config{Store: db.Ledger(), Key: key}).Append(w, facts...); err != nil {
		return err
	}
	fmt.Fprintf(w.err, "%d facts recorded\n", len(facts))
	return nil
}

// terminal tells whether words for people go to a terminal.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type testNew struct {
	ID    string `arg:"" help:"Id of the case, such as EP-SIM-090."`
	Title string `help:"What it proves." default:"What it proves, in one line"`
	Dir   string `help:"Folder to write it to." default:"."`
}

// Run writes a commented skeleton.
func (c testNew) Run(w *world) error {
	text := testbed.Skeleton(c.ID, c.Title)
	file := filepath.Join(c.Dir, c.ID+".txt")
	if _, err := testbed.ParseCase(file, []byte(text)); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.WriteString(f, text); err != nil {
		return err
	}
	fmt.Fprintln(w.out, file)
	return f.Close()
}
