package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	if len(n.sent) >= mostOpen { // nobody asks for the oldest any more
		n.sent = slices.Delete(n.sent, 0, 1)
	}
	n.submitted++
	s := &submission{order: fmt.Sprintf("submission-%d", n.submitted), id: id, answer: answer}
	n.sent = append(n.sent, s)
	return testbed.Outcome{State: "sent", Fields: map[string]string{"order": s.order}}, nil
}

// answered tells what came of a submission; false when the order was none, or
// is forgotten.
func (n *Node) answered(order string) (testbed.Outcome, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.sent, func(s *submission) bool { return s.order == order })
	if i < 0 {
		return testbed.Outcome{}, false
	}
	return n.sent[i].outcome(), true
}

// outcome of a submission so far.
func (s *submission) outcome() testbed.Outcome {
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
