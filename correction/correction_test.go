package correction_test

import (
	"testing"

	"github.com/once-only/oots/correction"
	"github.com/once-only/oots/correction/correctiontest"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	correctiontest.Run(t, func(*testing.T) correction.Store { return &correction.Memory{} })
}

func TestADecisionHasAForm(t *testing.T) {
	for _, d := range []correction.Decision{{Outcome: "maybe", Answer: "long enough to say"}, {Outcome: "upheld", Answer: "short"}, {}} {
		if d.Check() == nil {
			t.Errorf("%+v is accepted", d)
		}
	}
	if err := (correction.Decision{Outcome: "upheld", Answer: "Snapshot 8 corrects it."}).Check(); err != nil {
		t.Error(err)
	}
}
