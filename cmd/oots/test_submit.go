package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/web/api"
)

// sign signs a report with the team's key, and keeps it where that is asked for.
func (c testRun) sign(w *world, report *testbed.Report) ([]byte, error) {
	if c.Key == "" {
		return nil, fmt.Errorf("--report and --submit need --key, the private key that signs; oots keys report makes one")
	}
	private, err := os.ReadFile(c.Key)
	if err != nil {
		return nil, err
	}
	key, err := ledger.ParseKey(strings.TrimSpace(string(private)))
	if err != nil {
		return nil, err
	}
	signed, err := report.Sign(key)
	if err != nil || c.Report == "" {
		return signed, err
	}
	fmt.Fprintf(w.err, "signed report in %s; its key is %s\n", c.Report, key.Public())
	return signed, os.WriteFile(c.Report, signed, 0o600)
}

// submit hands a signed report in over the platform's API.
func (c testRun) submit(w *world, signed []byte) error {
	if c.SubmitToken == "" {
		return fmt.Errorf("--submit needs --submit-token or OOTS_SUBMIT_TOKEN, of the scope reports:write")
	}
	r, err := http.NewRequestWithContext(w, http.MethodPost, strings.TrimSuffix(c.Submit, "/")+"/api/v1/reports", bytes.NewReader(signed))
	if err != nil {
		return fmt.Errorf("--submit: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.SubmitToken)
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	client := &http.Client{Timeout: 5 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token goes to no other address
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("the report is not handed in: %w", err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("the report is handed in, but the answer breaks off: %w", err)
	}
	if answer.StatusCode != http.StatusCreated && answer.StatusCode != http.StatusOK {
		var p api.Problem
		if json.Unmarshal(raw, &p) != nil || p.Detail == "" {
			return fmt.Errorf("the platform answers HTTP %d to the report", answer.StatusCode)
		}
		return no("the platform refuses the report: %s", p.Detail)
	}
	var done api.HandedIn
	if err := json.Unmarshal(raw, &done); err != nil {
		return fmt.Errorf("the platform's answer to the report cannot be read: %w", err)
	}
	fmt.Fprintf(w.err, "handed in %d runs: %d new facts, %d known; the messages prove %d runs, a reviewer may look at the others\n", done.Runs, done.Added, done.Known, done.Proved)
	return nil
}
