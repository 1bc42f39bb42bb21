package projectathon

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Participant is a registered system as the timetable sees it.
type Participant struct {
	System   string // unique
	Country  string
	Roles    []Role
	Lines    []string // specification lines it speaks
	Cases    []string // cases it can play; empty means all
	Capacity int      // tests at the same time; 0 means 1
	Absent   []int    // slots in which it is not there
	Zone     int      // hours from Brussels
	Newcomer bool     // has no verified test yet: gets an early TC01 with an experienced partner
}

// Role is the part that a system plays in a peer test.
type Role string

const (
	Requester Role = "requester"
	Provider  Role = "provider"
)

// PlannedCase is a case of the catalogue as the timetable sees it.
type PlannedCase struct {
	ID        string
	Providers int    // 1, or 2 for a case with three parties
	Theme     bool   // belongs to the event's theme
	Expertise string // what its monitor must know; empty means any monitor
}

// Need says how many further partners a system wants for a case in a role.
type Need struct {
	System string
	Case   string
	Role   Role
	// Missing partners; each test with a new partner lowers it by one.
	Missing int
	// Blocking is set when the next level of the country hangs on it.
	Blocking bool
}

// MonitorSlot is a neutral expert with the slots in which he can verify.
type MonitorSlot struct {
	ID        string
	Country   string // of the employer; never verifies it
	Expertise []string
	Capacity  int // tests per slot; 0 means 3
	Absent    []int
}

// Pair is an ordered pair of systems: who asks, who answers.
type Pair struct{ Requester, Provider string }

// Meeting is one entry of the timetable.
type Meeting struct {
	Slot      int
	Case      string
	Requester string
	Provider  string
	Second    string // the second provider of a case with three parties
	Monitor   string
	Locked    bool     // placed by hand; never moved
	Why       []string // the reasons that weighed, heaviest first
	weight    float64
}

func (m Meeting) systems() []string {
	if m.Second == "" {
		return []string{m.Requester, m.Provider}
	}
	return []string{m.Requester, m.Provider, m.Second}
}

// Demand is everything a plan is computed from. The same demand gives the same
// plan, byte for byte.
type Demand struct {
	Systems  []Participant
	Cases    []PlannedCase
	Needs    []Need
	Monitors []MonitorSlot
	Slots    int
	// Connected tells whether both directions of a pair are green; nil means all.
	Connected func(a, b string) bool
	// Verified are tests done before, by case.
	Verified map[string][]Pair
	// Failed are pairs with a recent failure nobody has mended, by case.
	Failed map[string][]Pair
	Locked []Meeting
	// Consecutive is how many slots a system may play without a pause; 0 means 6.
	Consecutive int
}

// Timetable is a plan with its account.
type Timetable struct {
	Meetings []Meeting
	Unmet    []Need
	Fairness Fairness
}

// Fairness tells whether the plan treats systems alike.
type Fairness struct {
	Gini        float64 // of the slots each system got, 0 is even
	LongestIdle int     // slots in a row without a test, over all systems
	Met         float64 // share of the demand that the plan meets, 0 to 1
}

// Schedule computes a timetable: cases with three parties first, then per slot
// the heaviest pairs, improved by exchanging partners.
func Schedule(d Demand) Timetable { return plan(d, nil, 0) }

// Replan keeps what lies before the slot from, and of the rest every meeting
// that can still take place; only the holes are filled again.
func Replan(d Demand, old Timetable, from int) Timetable { return plan(d, old.Meetings, from) }

func plan(d Demand, old []Meeting, from int) Timetable {
	s := newScheduler(d)
	for _, m := range d.Locked {
		m.Locked = true
		if len(m.Why) == 0 {
			m.Why = []string{"placed by hand"}
		}
		s.place(m)
	}
	for _, m := range old {
		if !m.Locked && (m.Slot < from || s.possible(m)) {
			s.place(m)
		}
	}
	for slot := from; slot < d.Slots; slot++ {
		s.fill(slot)
	}
	slices.SortFunc(s.plan, func(a, b Meeting) int {
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Requester, b.Requester), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Case, b.Case))
	})
	return s.account()
}

type needKey struct {
	system, kase string
	role         Role
}

type scheduler struct {
	d       Demand
	systems map[string]*Participant
	names   []string // of the systems, sorted
	cases   []PlannedCase
	needs   map[needKey]*Need
	asked   int // missing partners at the start
	met     map[string]bool
	country map[[2]string]bool // pairs of countries that met
	failed  map[string]bool
	busy    map[string]map[int]int // system, slot: tests
	last    map[string]Role
	order   map[string][]int // slots in which a system plays
	watch   map[string]map[int]int
	plan    []Meeting
}

func newScheduler(d Demand) *scheduler {
	if d.Connected == nil {
		d.Connected = func(a, b string) bool { return true }
	}
	if d.Consecutive == 0 {
		d.Consecutive = 6
	}
	s := &scheduler{d: d, systems: map[string]*Participant{}, needs: map[needKey]*Need{}, met: map[string]bool{},
		country: map[[2]string]bool{}, failed: map[string]bool{}, busy: map[string]map[int]int{}, last: map[string]Role{},
		order: map[string][]int{}, watch: map[string]map[int]int{}}
	for i := range d.Systems {
		p := &d.Systems[i]
		s.systems[p.System] = p
		s.busy[p.System] = map[int]int{}
	}
	s.names = slices.Sorted(maps.Keys(s.systems))
	s.cases = slices.Clone(d.Cases)
	slices.SortFunc(s.cases, func(a, b PlannedCase) int { return cmp.Compare(a.ID, b.ID) })
	for _, n := range d.Needs {
		n.Missing = max(n.Missing, 0)
		s.needs[needKey{n.System, n.Case, n.Role}] = &n
		s.asked += n.Missing
	}
	for kase, pairs := range d.Verified {
		for _, p := range pairs {
			s.met[key(kase, p.Requester, p.Provider)] = true
			s.meet(p.Requester, p.Provider)
		}
	}
	for kase, pairs := range d.Failed {
		for _, p := range pairs {
			s.failed[key(kase, p.Requester, p.Provider)] = true
		}
	}
	return s
}

func key(kase, r, p string) string { return kase + "\x00" + r + "\x00" + p }

func (s *scheduler) meet(a, b string) {
	if x, y := s.systems[a], s.systems[b]; x != nil && y != nil {
		s.country[countries(x, y)] = true
	}
}

func countries(a, b *Participant) [2]string {
	if a.Country > b.Country {
		a, b = b, a
	}
	return [2]string{a.Country, b.Country}
}

// place puts a meeting into the plan and takes what it uses.
func (s *scheduler) place(m Meeting) {
	s.plan = append(s.plan, m)
	for _, name := range m.systems() {
		if s.busy[name] == nil {
			s.busy[name] = map[int]int{} // of a system that has withdrawn since
		}
		s.busy[name][m.Slot]++
		s.order[name] = append(s.order[name], m.Slot)
		role := Provider
		if name == m.Requester {
			role = Requester
		}
		s.last[name] = role
		if n := s.needs[needKey{name, m.Case, role}]; n != nil && n.Missing > 0 {
			n.Missing--
		}
	}
	for _, p := range []string{m.Provider, m.Second} {
		if p != "" {
			s.met[key(m.Case, m.Requester, p)] = true
			s.meet(m.Requester, p)
		}
	}
	if m.Monitor != "" {
		if s.watch[m.Monitor] == nil {
			s.watch[m.Monitor] = map[int]int{}
		}
		s.watch[m.Monitor][m.Slot]++
	}
}

// free tells whether a system can play in a slot.
func (s *scheduler) free(name string, slot int) bool {
	p := s.systems[name]
	if p == nil || slices.Contains(p.Absent, slot) || s.busy[name][slot] >= max(p.Capacity, 1) {
		return false
	}
	before, after := 0, 0
	for i := slot - 1; i >= 0 && s.busy[name][i] > 0; i-- {
		before++
	}
	for i := slot + 1; s.busy[name][i] > 0; i++ {
		after++
	}
	return before+after < s.d.Consecutive
}

// fits holds what never changes between two systems for a case.
func (s *scheduler) fits(kase PlannedCase, r, p *Participant) bool {
	return r.Country != p.Country && slices.Contains(r.Roles, Requester) && slices.Contains(p.Roles, Provider) &&
		plays(r, kase.ID) && plays(p, kase.ID) && speakTogether(r.Lines, p.Lines) &&
		s.d.Connected(r.System, p.System) && s.d.Connected(p.System, r.System)
}

func plays(p *Participant, kase string) bool {
	return len(p.Cases) == 0 || slices.Contains(p.Cases, kase)
}

func speakTogether(a, b []string) bool {
	return slices.ContainsFunc(a, func(line string) bool { return slices.Contains(b, line) })
}

// possible tells whether a meeting of an older plan can still take place.
func (s *scheduler) possible(m Meeting) bool {
	i := slices.IndexFunc(s.cases, func(c PlannedCase) bool { return c.ID == m.Case })
	if i < 0 {
		return false
	}
	for _, name := range m.systems() {
		if !s.free(name, m.Slot) {
			return false
		}
	}
	for _, p := range []string{m.Provider, m.Second} {
		if p != "" && !s.fits(s.cases[i], s.systems[m.Requester], s.systems[p]) {
			return false
		}
	}
	return m.Monitor == "" || slices.Contains(s.monitors(m.Slot, s.cases[i], m.systems()), m.Monitor)
}

// fill plans one slot.
func (s *scheduler) fill(slot int) {
	for _, kase := range s.cases {
		if kase.Providers == 2 {
			s.fillThree(slot, kase)
		}
	}
	edges := s.edges(slot)
	for _, m := range s.exchange(slot, s.choose(slot, edges), edges) {
		if s.free(m.Requester, slot) && s.free(m.Provider, slot) {
			s.watched(m)
		}
	}
}

// watched places a meeting if a monitor can watch it; without any monitors in
// the demand the meeting takes place unwatched.
func (s *scheduler) watched(m Meeting) {
	kase := s.cases[slices.IndexFunc(s.cases, func(c PlannedCase) bool { return c.ID == m.Case })]
	if len(s.d.Monitors) > 0 {
		able := s.monitors(m.Slot, kase, m.systems())
		if len(able) == 0 {
			return
		}
		m.Monitor = able[0]
	}
	s.explain(&m, kase)
	s.place(m)
}

// fillThree places cases with one requester and two providers of two countries.
func (s *scheduler) fillThree(slot int, kase PlannedCase) {
	for _, r := range s.names {
		if n := s.needs[needKey{r, kase.ID, Requester}]; n == nil || n.Missing == 0 || !s.free(r, slot) {
			continue
		}
		var best []Meeting
		for _, p := range s.names {
			if p == r || !s.free(p, slot) || !s.fits(kase, s.systems[r], s.systems[p]) || s.met[key(kase.ID, r, p)] {
				continue
			}
			best = append(best, Meeting{Slot: slot, Case: kase.ID, Requester: r, Provider: p, weight: s.weigh(slot, kase, r, p, nil)})
		}
		slices.SortStableFunc(best, heaviest)
		for i := 1; i < len(best); i++ {
			if s.systems[best[0].Provider].Country == s.systems[best[i].Provider].Country {
				continue
			}
			m := best[0]
			m.Second = best[i].Provider
			s.watched(m)
			break
		}
	}
}

func heaviest(a, b Meeting) int { return cmp.Compare(b.weight, a.weight) }

// monitors are those who may verify a meeting, least busy first.
func (s *scheduler) monitors(slot int, kase PlannedCase, systems []string) []string {
	var able []string
	for _, m := range s.d.Monitors {
		capacity := m.Capacity
		if capacity == 0 {
			capacity = 3
		}
		neutral := !slices.ContainsFunc(systems, func(name string) bool { p := s.systems[name]; return p != nil && p.Country == m.Country })
		if neutral && s.watch[m.ID][slot] < capacity && !slices.Contains(m.Absent, slot) &&
			(kase.Expertise == "" || slices.Contains(m.Expertise, kase.Expertise)) {
			able = append(able, m.ID)
		}
	}
	slices.SortStableFunc(able, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.watch[a][slot], s.watch[b][slot]), strings.Compare(a, b))
	})
	return able
}

// account sums up the plan.
func (s *scheduler) account() Timetable {
	t := Timetable{Meetings: s.plan}
	missing := 0
	for _, n := range s.needs {
		missing += n.Missing
		if n.Missing > 0 {
			t.Unmet = append(t.Unmet, *n)
		}
	}
	slices.SortFunc(t.Unmet, func(a, b Need) int {
		return cmp.Or(strings.Compare(a.System, b.System), strings.Compare(a.Case, b.Case), strings.Compare(string(a.Role), string(b.Role)))
	})
	if s.asked > 0 {
		t.Fairness.Met = 1 - float64(missing)/float64(s.asked)
	}
	var counts []int
	for _, name := range s.names {
		counts = append(counts, len(s.order[name]))
		idle := 0
		for slot := range s.d.Slots {
			if s.busy[name][slot] > 0 {
				idle = 0
				continue
			}
			idle++
			t.Fairness.LongestIdle = max(t.Fairness.LongestIdle, idle)
		}
	}
	t.Fairness.Gini = gini(counts)
	return t
}

// gini is the Gini coefficient of counts: 0 when all are equal.
func gini(counts []int) float64 {
	slices.Sort(counts)
	sum, weighted := 0, 0
	for i, c := range counts {
		sum += c
		weighted += (i + 1) * c
	}
	if sum == 0 {
		return 0
	}
	n := float64(len(counts))
	return 2*float64(weighted)/(n*float64(sum)) - (n+1)/n
}

// String is the meeting in one line, for logs and tests.
func (m Meeting) String() string {
	return fmt.Sprintf("slot %d: %s asks %s, %s", m.Slot+1, m.Requester, strings.Join(m.systems()[1:], " and "), m.Case)
}
