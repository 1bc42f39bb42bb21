package web

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// RequestsFile keeps requests for correction in a file of JSON Lines beside the
// store, readable by its owner only. Each line is a Request; the operator
// decides one by adding a line with its id, decided_at, outcome (upheld,
// rejected, withdrawn) and a public answer.
type RequestsFile struct {
	Path string
	mu   sync.Mutex
}

// requestsMost bounds the file: 16 MiB.
const requestsMost = 16 << 20

// line is what either kind of line may hold.
type line struct {
	Request
	DecidedAt time.Time `json:"decided_at,omitzero"`
	Outcome   string    `json:"outcome,omitempty"`
	Answer    string    `json:"answer,omitempty"`
}

// Add appends the request and returns when it is on the disk.
func (f *RequestsFile) Add(_ context.Context, r Request) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(f.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("requests for correction: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if info, err := out.Stat(); err != nil || info.Size() > requestsMost {
		return errors.Join(err, fmt.Errorf("requests for correction: %s is full (%d MiB); move it away", f.Path, requestsMost>>20))
	}
	if _, err := out.Write(append(raw, '\n')); err != nil {
		return fmt.Errorf("requests for correction: %w", err)
	}
	return out.Sync()
}

// Log returns all requests, newest first, without their texts.
func (f *RequestsFile) Log(context.Context) ([]Decided, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	in, err := os.Open(f.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("requests for correction: %w", err)
	}
	defer in.Close()
	var out []Decided
	at := map[string]int{}
	lines := bufio.NewScanner(io.LimitReader(in, 2*requestsMost))
	lines.Buffer(nil, 256<<10)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil || l.ID == "" {
			continue // half a line after a crash
		}
		if i, known := at[l.ID]; known {
			if l.Outcome != "" {
				out[i].DecidedAt, out[i].Outcome, out[i].Answer = l.DecidedAt, l.Outcome, l.Answer
			}
			continue
		}
		at[l.ID] = len(out)
		out = append(out, Decided{ID: l.ID, At: l.At})
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, lines.Err()
}

// newID is a short random reference: no order, nothing to guess.
func newID() string { return strings.ToLower(rand.Text()[:10]) }

// trim drops control characters, which no form field needs.
func trim(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")))
}

// looksLikeEmail is lenient: something before and after one @.
func looksLikeEmail(s string) bool {
	before, after, ok := strings.Cut(s, "@")
	return ok && before != "" && strings.Contains(after, ".") && !strings.ContainsAny(s, " \t\n<>,;") && !strings.Contains(after, "@")
}
