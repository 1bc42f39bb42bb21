package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/once-only/oots/testbed/partner"
)

// Target is a system under test.
type Target struct {
	Name      string
	Country   string
	Component string // code of the component that is tested, such as DS
	Version   string // of that component
	Mode      string // manual, test-tool, automated
	Roles     []string
	Lines     []string // specification lines it speaks; empty: any

	Peer partner.Peer // its access point; without URL it has none
	// Data is what it offers to the platform, Asks what the platform offers to it;
	// nil: the same.
	Data partner.Data
	Asks *partner.Data
	// Instance is its own instance of the Common Services; nil: it has none.
	Instance *partner.Instance
	// Browser goes to its preview space; nil uses the runner's HTTP client.
	Browser *http.Client
	Driver  Driver // nil: nobody can be told to act
	// Settle, of a system in this process, does everything that is to be done and
	// tells whether that was anything; nil for all others, which get time instead.
	Settle func(ctx context.Context) (bool, error)
}

// data are what a case for a role is about.
func (t *Target) data(role string) partner.Data {
	if t.Asks != nil && slices.Contains([]string{"evidence-requester", "identity-requester", "directory-client"}, role) {
		return *t.Asks
	}
	return t.Data
}

// plays tells whether a role is the target's. Those of an own instance of the
// Common Services need one.
func (t *Target) plays(role string) bool {
	if t.Instance == nil && (role == "directory" || role == "metadata-registry") {
		return false
	}
	return len(t.Roles) == 0 || slices.Contains(t.Roles, role)
}

// Order is what a system under test is told to do through its API: the actions
// that a person would do in its portal.
type Order struct {
	Do   string            `json:"do"`
	Args map[string]string `json:"args,omitempty"`
}

// Outcome is what it says came of it.
type Outcome struct {
	State  string              `json:"state"`
	Code   string              `json:"code,omitempty"`
	Detail string              `json:"detail,omitempty"`
	Fields map[string]string   `json:"fields,omitempty"`
	Rows   []map[string]string `json:"rows,omitempty"`
}

// Driver carries orders to a system under test.
type Driver interface {
	Drive(ctx context.Context, o Order) (Outcome, error)
}

// DriverFunc is a function that drives.
type DriverFunc func(ctx context.Context, o Order) (Outcome, error)

// Drive calls f.
func (f DriverFunc) Drive(ctx context.Context, o Order) (Outcome, error) { return f(ctx, o) }

// ErrUnsupported says that a system cannot be told to do this.
var ErrUnsupported = errors.New("the system under test does not offer this")

// drive carries an order to the target. ErrUnsupported is every way in which it
// can be said that the system does not do this: there is no driver, the driver
// has no such order, or the outcome is "unsupported".
func (t *Target) drive(ctx context.Context, o Order) (Outcome, error) {
	if t.Driver == nil {
		return Outcome{}, ErrUnsupported
	}
	out, err := t.Driver.Drive(ctx, o)
	if errors.Is(err, partner.ErrUnsupported) || err == nil && out.State == "unsupported" {
		err = ErrUnsupported
	}
	return out, err
}

// HTTPDriver drives a system by its API: each order is posted as JSON, the
// answer is an Outcome. Status 404 or 501 is ErrUnsupported.
type HTTPDriver struct {
	URL    string
	Token  string // of the Authorization header; optional
	Client *http.Client
}

// Drive posts an order.
func (d *HTTPDriver) Drive(ctx context.Context, o Order) (Outcome, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return Outcome{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(body))
	if err != nil {
		return Outcome{}, errors.New("the address of the node's API cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	if d.Token != "" {
		req.Header.Set("Authorization", "Bearer "+d.Token)
	}
	client := d.Client
	if client == nil {
		client = &http.Client{Timeout: time.Minute}
	}
	resp, err := client.Do(req)
	if err != nil {
		return Outcome{}, errors.New("the node's API does not answer")
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20+1))
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusNotImplemented:
		return Outcome{}, ErrUnsupported
	case err != nil || len(raw) > 1<<20:
		return Outcome{}, errors.New("the node's API answers without end")
	case resp.StatusCode != http.StatusOK:
		return Outcome{}, fmt.Errorf("the node's API answers HTTP %d", resp.StatusCode)
	}
	var out Outcome
	if err := json.Unmarshal(raw, &out); err != nil {
		return Outcome{}, errors.New("the node's API answers something that is no outcome")
	}
	return out, nil
}
