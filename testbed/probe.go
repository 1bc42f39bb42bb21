package testbed

import (
	"context"
	"errors"
	"fmt"
)

// Probe is what a system's API said to an order that no system can know. Before
// the first case the platform asks whether "unsupported" is signalled: of who
// says "done" to everything, what else they say proves nothing.
type Probe struct {
	// Warning stands in the report; "" when all is well.
	Warning string
	// Doubted says that outcomes need a person's review: the system claims to
	// have carried out what cannot be.
	Doubted bool
}

// probe asks once. A target that cannot be told anything has nothing to answer
// for.
func (r *Runner) probe(ctx context.Context) {
	if r.probed != nil || r.Target.Driver == nil {
		return
	}
	r.probed = &Probe{}
	out, err := r.Target.drive(ctx, Order{Do: "unknown-" + r.NewID()})
	switch {
	case errors.Is(err, ErrUnsupported):
	case err != nil:
		r.probed.Warning = fmt.Sprintf("to an order it cannot know, its API should answer 404, 501 or the state unsupported: %v. What it does not offer counts as failed", err)
	default:
		r.probed.Warning = fmt.Sprintf("its API accepts orders it cannot know (it says %.40q)", out.State)
		r.probed.Doubted = true
	}
}

// told are the verbs that judge by what the system says of itself.
var told = []string{"open", "outcome", "logged", "unlogged"}

// doubted tells whether what the system says of itself needs a review.
func (r *Runner) doubted() bool { return r.probed != nil && r.probed.Doubted }

// Warnings are what a reader of the runs should know about the system.
func (r *Runner) Warnings() []string {
	if r.probed == nil || r.probed.Warning == "" {
		return nil
	}
	return []string{r.probed.Warning}
}
