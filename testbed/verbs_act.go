package testbed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/testbed/partner"
)

func checkOpen(_ *Case, args []string) string {
	if !slices.Contains([]string{"look", "accept", "refuse"}, args[1]) {
		return "open NAME look, accept or refuse"
	}
	return ""
}

func doOpen(ctx context.Context, p *player, args []string) verdict {
	p.settle(ctx)
	rest, given := options(args[2:], "as")
	found, err := p.find(args[0], "//rim:Slot[PreviewLocation]/rim:SlotValue/rim:Value")
	if err != nil || len(found) == 0 {
		return fail("%s carries no preview address", args[0])
	}
	address, err := url.Parse(found[0])
	if err != nil || address.Host == "" {
		return fail("%q is no address", found[0])
	}
	if address.Scheme != "https" && address.Hostname() != "127.0.0.1" && address.Hostname() != "localhost" {
		return fail("the preview address %s is not https", found[0])
	}
	who := partner.UsualName
	if as, ok := given["as"]; ok {
		if who, err = draft.Fill(as, p.values); err != nil {
			return broken("%v", err)
		}
	}
	if who == "nobody" {
		who = ""
	}
	page, err := p.visit(ctx, address, who, args[1])
	if err != nil {
		return fail("%v", err)
	}
	switch closed := slices.Contains(rest, "closed"); {
	case closed && !page.closed(args[1]):
		return fail("the preview space answers %d: it is open", page.status)
	case !closed && page.status != http.StatusOK && page.status != http.StatusSeeOther && page.status != http.StatusFound:
		return fail("the preview space answers %d", page.status)
	}
	if slices.Contains(rest, "returns") {
		if why := p.astray(page.returned); why != "" {
			return fail("%s", why)
		}
	}
	p.settle(ctx)
	return pass("HTTP %d", page.status)
}

// closed tells whether the user was not let in: the space refuses, or sends who
// only looks elsewhere, such as to sign in. Which status says so is free.
func (v *visit) closed(decision string) bool {
	return v.status >= 400 && v.status < 500 || decision == "look" && v.status >= 300 && v.status < 400
}

// astray is why the user does not come back to where the second request asked
// for: at that address, to which the provider may have added something.
func (p *player) astray(returned string) string {
	if returned == "" {
		return "the user is not sent back to the procedure"
	}
	for _, m := range p.seen()[p.from:] {
		if q, ok := m.Lead.(*edm.Request); ok && q.ReturnLocation != "" && strings.HasPrefix(returned, q.ReturnLocation) {
			return ""
		}
	}
	return "the user is sent to " + returned + " instead of the address for returning"
}

// visit sends the user to a preview space, signed in as somebody of that family
// name or, "", as nobody. A system that can be told to receive the user does it
// itself, since how one signs in and decides there is its own affair; at any
// other the user's browser goes there in the manner of the practice system.
func (p *player) visit(ctx context.Context, address *url.URL, family, decision string) (*visit, error) {
	out, err := p.Target.drive(ctx, Order{"visit", map[string]string{"location": address.String(), "family": family, "decision": decision}})
	switch {
	case errors.Is(err, ErrUnsupported):
		return p.browseAs(ctx, address, family, decision)
	case err != nil:
		return nil, err
	case out.State != "seen":
		return nil, fmt.Errorf("the system says %s instead of seen. %s", out.State, out.Detail)
	}
	status, ok := number(out.Fields["status"])
	if !ok || status < 100 || status > 599 {
		return nil, fmt.Errorf("the system saw the HTTP status %q", out.Fields["status"])
	}
	return &visit{status, out.Fields["returned"]}, nil
}

// browseAs is the user's browser at the preview space of the practice system,
// where the parameter as stands in for the sign-in.
func (p *player) browseAs(ctx context.Context, address *url.URL, family, decision string) (*visit, error) {
	at := *address
	q := at.Query()
	if family != "" {
		q.Set("as", family)
	}
	at.RawQuery = q.Encode()
	page, err := p.browse(ctx, http.MethodGet, at.String(), "")
	if err == nil && page.status == http.StatusOK && decision != "look" {
		page, err = p.browse(ctx, http.MethodPost, at.String(), "decision="+decision)
	}
	return page, err
}

func checkWait(_ *Case, args []string) string {
	if _, ok := span(args[0]); !ok {
		return fmt.Sprintf("%q is no time: T1, T2, T3 or a duration such as 30s", args[0])
	}
	return ""
}

func doWait(ctx context.Context, p *player, args []string) verdict {
	d, _ := span(args[0])
	if strings.HasPrefix(args[0], "T") {
		d += 1e9 // a second beyond
	}
	if err := p.pause(ctx, d); err != nil {
		return fail("%v", err)
	}
	return pass("%s later", d)
}

func doAttest(_ context.Context, _ *player, args []string) verdict {
	return verdict{NeedsReview, "a person must confirm: " + strings.Join(args, " ")}
}

// pairsOf reads KEY=VALUE.
func (p *player) pairsOf(args []string) (map[string]string, error) {
	out := map[string]string{}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			return nil, fmt.Errorf("write KEY=VALUE, not %q", a)
		}
		v, err := draft.Fill(v, p.values)
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

func doOrder(ctx context.Context, p *player, args []string) verdict {
	pairs, err := p.pairsOf(args[1:])
	if err != nil {
		return broken("%v", err)
	}
	if p.Target.Driver == nil {
		return verdict{Unsupported, "nobody can tell this system to act; give its API with --api"}
	}
	if args[0] == "request" { // which evidence, of those that the data set has
		d := p.Target.data("evidence-requester")
		for key, value := range map[string]string{"country": d.Country, "procedure": d.Procedure, "requirement": d.Requirement.ID} {
			pairs[key] = cmp.Or(pairs[key], value)
		}
	}
	out, err := p.Target.drive(ctx, Order{args[0], pairs})
	switch {
	case errors.Is(err, ErrUnsupported):
		return verdict{Unsupported, ErrUnsupported.Error()}
	case err != nil:
		return fail("%v", err)
	}
	p.outcomes[p.actor], p.ordered[p.actor] = &out, Order{args[0], pairs}
	p.settle(ctx)
	return pass("%s %s", out.State, out.Code)
}

// inTime asks again while a system somewhere else may still be at work: what it
// says of itself may come a little later than its messages. One in this process
// has nothing left to do.
func (p *player) inTime(ctx context.Context, ask func() verdict) verdict {
	v := ask()
	if p.Target.Settle != nil {
		return v
	}
	deadline := time.Now().Add(min(time.Duration(float64(partner.T1)/p.Scale), p.Patience, slowest))
	for v.Result == Fail && time.Now().Before(deadline) {
		if p.rest(ctx, askAgain) != nil {
			break
		}
		v = ask()
	}
	return v
}

// slowest is how long a system may take to know what its messages say, askAgain
// how often it is asked meanwhile.
const (
	slowest  = 10 * time.Second
	askAgain = 200 * time.Millisecond
)

func doOutcome(ctx context.Context, p *player, args []string) verdict {
	if p.outcomes[p.actor] == nil {
		return broken("nothing was ordered before")
	}
	return p.inTime(ctx, func() verdict { return p.outcome(ctx, args) })
}

// outcome asks the system what came of its last order.
func (p *player) outcome(ctx context.Context, args []string) verdict {
	p.settle(ctx)
	if id := p.outcomes[p.actor].Fields["order"]; id != "" { // still under way when it was given
		out, err := p.Target.drive(ctx, Order{"outcome", map[string]string{"order": id}})
		if err != nil {
			return fail("%v", err)
		}
		out.Fields = withOrder(out.Fields, id)
		p.outcomes[p.actor] = &out
	}
	o := p.outcomes[p.actor]
	if !slices.Contains(strings.Split(args[0], "|"), o.State) {
		return fail("the system says %s %s %s", o.State, o.Code, o.Detail)
	}
	rest := args[1:]
	if len(rest) > 0 && !strings.Contains(rest[0], "=") {
		if !slices.Contains(strings.Split(rest[0], "|"), o.Code) {
			return fail("the system says %s %s", o.State, o.Code)
		}
		rest = rest[1:]
	}
	want, err := p.pairsOf(rest)
	if err != nil {
		return broken("%v", err)
	}
	if v, asked := want["detail"]; asked && !strings.Contains(o.Detail, v) {
		return fail("the detail is %q, expected %q in it", o.Detail, v)
	}
	delete(want, "detail")
	for k, v := range want {
		if name, not := strings.CutSuffix(k, "!"); not {
			if o.Fields[name] == v {
				return fail("%s is %q", name, v)
			}
		} else if o.Fields[k] != v {
			return fail("%s is %q, expected %q", k, o.Fields[k], v)
		}
	}
	return pass("%s %s", o.State, o.Code)
}

func withOrder(fields map[string]string, id string) map[string]string {
	out := map[string]string{"order": id}
	for k, v := range fields {
		out[k] = v
	}
	return out
}

func doLogged(ctx context.Context, p *player, args []string) verdict {
	if p.outcomes[p.actor] == nil {
		return broken("no log was asked for")
	}
	first := true
	return p.inTime(ctx, func() verdict {
		if !first {
			if out, err := p.Target.drive(ctx, p.ordered[p.actor]); err == nil {
				p.outcomes[p.actor] = &out
			}
		}
		first = false
		return p.logged(args)
	})
}

// logged looks for a row of the log.
func (p *player) logged(args []string) verdict {
	for _, row := range p.outcomes[p.actor].Rows {
		ok := true
		for _, a := range args {
			k, v, has := strings.Cut(a, "=")
			want, err := p.inLog(v)
			if err != nil {
				return broken("%v", err)
			}
			ok = ok && row[k] != "" && (!has || row[k] == want)
		}
		if ok {
			return pass("%s", strings.Join(args, " "))
		}
	}
	return fail("none of the %d rows of the log says so", len(p.outcomes[p.actor].Rows))
}

// inLog fills placeholders; {{NAME.digest}} is the digest of a message.
func (p *player) inLog(v string) (string, error) {
	return draft.Fill(v, func(name string) (string, bool) {
		if head, ok := strings.CutSuffix(name, ".digest"); ok && p.mail[head] != nil {
			return digest(p.mail[head].Body()), true
		}
		return p.values(name)
	})
}

func doUnlogged(_ context.Context, p *player, args []string) verdict {
	if p.outcomes[p.actor] == nil {
		return broken("no log was asked for")
	}
	text, err := draft.Fill(args[0], p.values)
	if err != nil {
		return broken("%v", err)
	}
	for _, row := range p.outcomes[p.actor].Rows {
		for k, v := range row {
			if strings.Contains(v, text) {
				return fail("the field %s of the log holds it", k)
			}
		}
	}
	return pass("not there")
}
