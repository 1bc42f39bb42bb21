package web

import (
	"errors"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/correction"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/web/api"
	"github.com/once-only/oots/webhook"
)

// Ports are what the site asks of the rest of the house.
type Ports struct {
	Meter  *am.Meter      // where countries stand; required
	Ledger *ledger.Ledger // the facts behind it, with their proofs; required

	// Tokens are who may write over the API; nil: nobody.
	Tokens access.Store
	// Reports takes reports of test runs that teams hand in; nil: none are taken.
	Reports *api.Reports
	// Trail is told of every writing call of the API; nil: nobody is.
	Trail api.Trail
	// Webhooks are who is told of a publication; nil: nobody. Whoever runs the
	// site sets a webhook.Sender to work beside it.
	Webhooks webhook.Store

	// Corrections keeps what readers ask to have corrected; nil: the page says
	// that nothing can be stored here.
	Corrections correction.Store

	// Validations keeps messages for which a reader of /validate asked for a
	// link; nil: the page offers none.
	Validations Validations

	// Verified tells when the whole ledger was last checked and what was found;
	// nil: the page says that this process has not checked it.
	Verified func() (at time.Time, err error)
}

func (p Ports) check() error {
	if p.Meter == nil || p.Ledger == nil {
		return errors.New("web: Meter and Ledger are required")
	}
	return nil
}
