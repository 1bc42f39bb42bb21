package network

import (
	"fmt"
	"testing"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

// TestSubmissionsThatNobodyAnswersAreForgotten, the oldest first.
func TestSubmissionsThatNobodyAnswersAreForgotten(t *testing.T) {
	var s Submissions
	var came []chan []byte
	for i := range mostAwaited + 1 {
		came = append(came, s.await(fmt.Sprint(i)))
	}
	for _, i := range []int{0, mostAwaited} {
		m := &as4.Message{Header: &ebms.UserMessage{ConversationID: fmt.Sprint(i)}, Parts: []as4.Part{{Content: ebms.Bytes([]byte("answer"))}}}
		if err := s.Deliver(m); err != nil {
			t.Fatal(err)
		}
	}
	if len(came[0]) != 0 || len(came[mostAwaited]) != 1 || len(s.waiting) != mostAwaited-1 {
		t.Errorf("answers for the first: %d, for the last: %d; %d are awaited", len(came[0]), len(came[mostAwaited]), len(s.waiting))
	}
}
