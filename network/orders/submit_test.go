package orders

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
)

// TestANodeForgetsOldSubmissions, and takes new ones however many there were.
func TestANodeForgetsOldSubmissions(t *testing.T) {
	answers := make(chan []byte, 1)
	n := &Node{Exchange: &exchange.Node{}, Metadata: &partner.Metadata{Part: partner.SandboxPart("EL", sdg.Identifier{Value: "AP_EL_01"}, "oots-edm:v2.0")},
		Submit: func(context.Context, []byte) (<-chan []byte, error) { return answers, nil }}
	known := map[string]bool{}
	var first, last string
	for i := range mostOpen + 3 {
		out, err := n.Drive(t.Context(), testbed.Order{Do: "submit", Args: map[string]string{"of": "eb"}})
		if err != nil || out.State != "sent" {
			t.Fatalf("submission %d: %+v, %v", i+1, out, err)
		}
		last = out.Fields["order"]
		if i == 0 {
			first = last
		}
		if known[last] {
			t.Fatalf("%s was an order before", last)
		}
		known[last] = true
	}
	if len(n.sent) != mostOpen {
		t.Errorf("%d are kept", len(n.sent))
	}
	outcome := func(order string) (testbed.Outcome, error) {
		return n.Drive(t.Context(), testbed.Order{Do: "outcome", Args: map[string]string{"order": order}})
	}
	if out, err := outcome(first); !errors.Is(err, testbed.ErrUnsupported) {
		t.Errorf("the first is still known: %+v, %v", out, err)
	}
	answers <- []byte(`<a requestId="` + n.sent[mostOpen-1].id + `" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"/>`)
	if out, err := outcome(last); err != nil || out.State != "accepted" {
		t.Errorf("the last is %+v, %v", out, err)
	}
}

// TestTwoOrdersAtOnce each get an edition of the code list.
func TestTwoOrdersAtOnce(t *testing.T) {
	n := &Node{Exchange: &exchange.Node{}, Metadata: &partner.Metadata{Part: partner.SandboxPart("EL", sdg.Identifier{Value: "AP_EL_01"}, "oots-edm:v2.0")},
		Submit: func(context.Context, []byte) (<-chan []byte, error) { return nil, nil }}
	var all errgroup.Group
	for i := range 2 {
		all.Go(func() error {
			_, err := n.Drive(t.Context(), testbed.Order{Do: "submit", Args: map[string]string{"of": "lists", "add": fmt.Sprint("TOWN", i)}})
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	var last []byte
	n.Submit = func(_ context.Context, raw []byte) (<-chan []byte, error) { last = raw; return nil, nil }
	if _, err := n.Drive(t.Context(), testbed.Order{Do: "submit", Args: map[string]string{"of": "lists"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"TOWN0", "TOWN1", "3.0.0"} {
		if !strings.Contains(string(last), want) {
			t.Errorf("the third submission lacks %s", want)
		}
	}
}
