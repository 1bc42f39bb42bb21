package orders

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/testbed"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/xmltree"
)

// submission is one that was sent; its answer may have come.
type submission struct {
	order, id string // id of the SubmitObjectsRequest
	answer    <-chan []byte
	came      []byte
}

// submit sends the country's own metadata.
func (n *Node) submit(ctx context.Context, args map[string]string) (testbed.Outcome, error) {
	if n.Submit == nil {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	id := "urn:uuid:" + as4.NewUUID()
	raw, err := n.Metadata.Submission(id, args)
	if errors.Is(err, partner.ErrUnsupported) {
		return testbed.Outcome{}, testbed.ErrUnsupported
	}
	var answer <-chan []byte
	if err == nil {
		answer, err = n.Submit(ctx, raw)
	}
	if err != nil {
		return testbed.Outcome{State: "failed", Detail: err.Error()}, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.sent) >= mostOpen {
		return testbed.Outcome{State: "failed", Detail: "too many submissions were ordered"}, nil
	}
	s := submission{order: fmt.Sprintf("submission-%d", len(n.sent)+1), id: id, answer: answer}
	n.sent = append(n.sent, s)
	return testbed.Outcome{State: "sent", Fields: map[string]string{"order": s.order}}, nil
}

// answered tells what came of the i-th submission.
func (n *Node) answered(i int) testbed.Outcome {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &n.sent[i]
	select {
	case s.came = <-s.answer:
	default:
	}
	out := testbed.Outcome{State: "sent", Fields: map[string]string{"order": s.order}}
	if s.came == nil {
		return out
	}
	doc, err := xmltree.Parse(s.came, xmltree.Options{})
	if err != nil {
		out.State, out.Detail = "failed", "the answer cannot be read"
		return out
	}
	if doc.Root.Attr("", "requestId") != s.id {
		return out // the answer to another submission
	}
	if out.State = "refused"; strings.HasSuffix(doc.Root.Attr("", "status"), ":Success") {
		out.State = "accepted"
	}
	if x := doc.Root.Child(xmltree.Customary("rs"), "Exception"); x != nil {
		out.Code = x.Attr("", "code")
	}
	return out
}
