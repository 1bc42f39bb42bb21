package projectathon

import (
	"fmt"
	"slices"
)

// Post is what somebody is in the platform.
type Post string

const (
	Public      Post = "public"
	Coordinator Post = "coordinator" // everything of the own country
	Contact     Post = "contact"     // technical contact point, operator of systems
	Manager     Post = "manager"     // test session manager
	Monitor     Post = "monitor"
	Reviewer    Post = "reviewer" // of the Commission
	Auditor     Post = "auditor"  // reads everything, changes nothing
	Machine     Post = "machine"  // a token of the API; only the trail names it
)

// Posts are all posts that an account can have.
var Posts = []Post{Public, Coordinator, Contact, Manager, Monitor, Reviewer, Auditor}

// Account is somebody who has signed in. The platform keeps a sign, never a
// person's name, in what it stores for good.
type Account struct {
	// Party is the account's sign in ledger and audit trail: "team:FI/anna1",
	// "monitor:AT-7f3a", "manager:m1".
	Party     string
	Post      Post
	Country   string   // of a team or coordinator; of a monitor's employer
	Systems   []string // that a contact operates; none means all of the country
	Supplies  []string // countries that a monitor's employer supplies
	Expertise []string
}

// Action is one thing that somebody can do here.
type Action string

const (
	ManageEvent  Action = "manage the event"
	Register     Action = "register a system"
	Endorse      Action = "endorse a registration"
	Admit        Action = "accept a registration"
	Withdraw     Action = "withdraw a registration"
	Plan         Action = "make the plan"
	Propose      Action = "propose a test"
	TakePart     Action = "take part in a test"
	ReportAbsent Action = "report a no-show"
	ReadTest     Action = "read a test"
	ReadEvidence Action = "read confidential evidence"
	ReadQueue    Action = "read the monitors' queue"
	Verify       Action = "verify a test"
	Appeal       Action = "appeal"
	KeepSecret   Action = "keep a secret in the vault"
	ReadCountry  Action = "read a country's report"
	ReadAudit    Action = "read the audit trail"
	ReadEvent    Action = "read the event's matrix"
	ReadDraft    Action = "read a report before the event is closed"
	PlaySuites   Action = "start or stop a run of test cases"
	ReadRuns     Action = "read the results of runs"
	ReadMessages Action = "read the messages of runs"
	ReadStanding Action = "read where a country stands"
	KeepPasskey  Action = "keep a passkey"
	ChangeSystem Action = "mend or break a demonstration's system"
	SignIn       Action = "sign in"
	SignOut      Action = "sign out"
)

// rights says who may do what. Own lists the posts that may do it only for
// their own country; Any those that may do it everywhere. What is not listed is
// refused. Who is neutral enough to verify, and who is paired with whom, is
// checked beside it.
var rights = map[Action]struct{ Own, Any []Post }{
	ManageEvent:  {Any: []Post{Manager}},
	Register:     {Own: []Post{Coordinator, Contact}},
	Endorse:      {Own: []Post{Coordinator}},
	Admit:        {Any: []Post{Manager}},
	Withdraw:     {Own: []Post{Coordinator, Contact}, Any: []Post{Manager}},
	Plan:         {Any: []Post{Manager}},
	Propose:      {Own: []Post{Contact, Coordinator}, Any: []Post{Manager}},
	TakePart:     {Own: []Post{Contact, Coordinator}},
	ReportAbsent: {Any: []Post{Manager, Monitor}},
	ReadTest:     {Own: []Post{Contact, Coordinator}, Any: []Post{Manager, Monitor, Reviewer, Auditor}},
	ReadEvidence: {Any: []Post{Auditor}}, // and what mayOpen adds
	ReadQueue:    {Any: []Post{Monitor, Manager, Auditor}},
	Verify:       {Any: []Post{Monitor}},
	Appeal:       {Own: []Post{Coordinator}},
	KeepSecret:   {Own: []Post{Contact}},
	ReadCountry:  {Own: []Post{Coordinator, Contact}, Any: []Post{Reviewer, Auditor}},
	ReadAudit:    {Any: []Post{Auditor}},
	ReadEvent:    {Any: Posts[1:]},
	ReadDraft:    {Any: []Post{Manager, Reviewer, Auditor}},
	PlaySuites:   {Own: []Post{Coordinator, Contact}},
	ReadRuns:     {Own: []Post{Coordinator, Contact}, Any: []Post{Manager, Monitor, Reviewer, Auditor}},
	ReadMessages: {Own: []Post{Coordinator, Contact}, Any: []Post{Reviewer, Auditor}},
	ReadStanding: {Own: []Post{Coordinator, Contact}, Any: []Post{Reviewer, Auditor}},
	KeepPasskey:  {Any: []Post{Monitor, Reviewer}}, // who decides
	ChangeSystem: {Any: []Post{Manager}},
}

// Denied says that an account may not do something, and who may.
type Denied struct {
	Action Action
	Post   Post
}

func (e *Denied) Error() string {
	r := rights[e.Action]
	who := slices.Concat(r.Any, r.Own)
	post := string(e.Post)
	if post == "" {
		post = "somebody who has not signed in"
	}
	return fmt.Sprintf("%s may not %s here; that is for %v. The national coordinator, or the event's manager, gives roles", post, e.Action, who)
}

// May tells whether the account may do something that concerns these countries;
// none means that it concerns no country in particular.
func (a Account) May(do Action, countries ...string) error {
	r := rights[do]
	if slices.Contains(r.Any, a.Post) {
		return nil
	}
	if slices.Contains(r.Own, a.Post) && a.Country != "" && (len(countries) == 0 || slices.Contains(countries, a.Country)) {
		return nil
	}
	return &Denied{do, a.Post}
}

// MayFor is May for one system: a contact who operates only some systems of the
// country does nothing to the others.
func (a Account) MayFor(do Action, system, country string) error {
	if err := a.May(do, country); err != nil {
		return err
	}
	if a.Post == Contact && !a.operates(system, country) {
		return &Denied{do, a.Post}
	}
	return nil
}

// operates tells whether a team's account acts for a system of its country.
func (a Account) operates(system, country string) bool {
	return a.Country == country && (a.Post == Coordinator || a.Post == Contact && (len(a.Systems) == 0 || slices.Contains(a.Systems, system)))
}

// side is the side of a test for which the account acts.
func (a Account) side(t *PeerTest) (Side, error) {
	for _, s := range t.Sides {
		if a.operates(s.System, s.Country) {
			return s, nil
		}
	}
	return Side{}, &Denied{TakePart, a.Post}
}
