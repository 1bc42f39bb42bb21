package projectathon

import (
	"fmt"
	"slices"
	"time"
)

// EventState is a phase in the life of an event.
type EventState string

const (
	Draft              EventState = "draft"
	Announced          EventState = "announced" // line, catalogue and data set are frozen
	RegistrationOpen   EventState = "registration_open"
	RegistrationClosed EventState = "registration_closed"
	Preparation        EventState = "preparation"
	Live               EventState = "live"
	Grading            EventState = "grading"
	Appeals            EventState = "appeals"
	Closed             EventState = "closed"
	Reported           EventState = "reported"
	Cancelled          EventState = "cancelled"
)

// lifecycle is the order of the phases; an event goes one step at a time, or is
// cancelled from any phase before it is closed.
var lifecycle = []EventState{Draft, Announced, RegistrationOpen, RegistrationClosed, Preparation, Live, Grading, Appeals, Closed, Reported}

// Event is a Projectathon, an Accelerator, or the permanent event that hosts
// bilateral tests all year.
type Event struct {
	ID    string
	Name  string
	Theme string
	State EventState

	// Frozen when the event is announced.
	Line      string // specification line, e.g. "oots-edm:v2.0"
	Catalogue string // version of the catalogue of cases
	DataSet   string // version of the test data

	Starts, Ends time.Time // zero for the permanent event
	Permanent    bool
	Slots        int           // slots of the timetable
	SlotLength   time.Duration // 0 means 45 minutes, with a buffer of 15
	AppealDays   int           // working days; 0 means 5
	Sample       bool          // invented data

	Since map[EventState]time.Time // when each phase began
}

// Advance moves the event to the next phase, checking that phase's gate. The
// permanent event stays live.
func (e *Event) Advance(to EventState) error {
	here := slices.Index(lifecycle, e.State)
	if to == Cancelled {
		if e.State == Closed || e.State == Reported || e.State == Cancelled {
			return fmt.Errorf("an event that is %s cannot be cancelled", e.State)
		}
		e.State = Cancelled
		return nil
	}
	if here < 0 || here+1 >= len(lifecycle) || lifecycle[here+1] != to {
		return fmt.Errorf("an event that is %s cannot become %s; the next phase is %s", e.State, to, e.Next())
	}
	if e.Permanent && e.State == Live {
		return fmt.Errorf("the permanent event stays live")
	}
	if to == Announced {
		for _, frozen := range []struct{ what, value string }{
			{"specification line", e.Line}, {"catalogue", e.Catalogue}, {"data set", e.DataSet},
		} {
			if frozen.value == "" {
				return fmt.Errorf("name the %s before the event is announced: it is frozen then", frozen.what)
			}
		}
	}
	e.State = to
	return nil
}

// Next is the phase that follows; "none" after the last.
func (e *Event) Next() EventState {
	if i := slices.Index(lifecycle, e.State); i >= 0 && i+1 < len(lifecycle) {
		return lifecycle[i+1]
	}
	return "none"
}
