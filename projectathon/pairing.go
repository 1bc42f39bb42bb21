package projectathon

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// The weights of a pairing. They are policy: one place to change them.
const (
	weightNeed     = 4.0  // per missing partner, up to three, on each side
	weightNewPair  = 3.0  // these two countries have not met yet
	weightTheme    = 2.0  // the case belongs to the theme
	weightBlocking = 8.0  // a level hangs on it
	weightFailed   = -6.0 // failed lately, and nobody says it is mended
	weightZone     = -0.5 // per hour of difference
	weightSwitch   = -1.0 // another role than in the slot before
	weightWaiting  = 1.0  // per slot without a test, up to five
	weightNewcomer = 20.0 // the first success of a newcomer
)

// edges are the best case of every ordered pair that is free in a slot.
func (s *scheduler) edges(slot int) map[Pair]Meeting {
	edges := map[Pair]Meeting{}
	watchable := slices.DeleteFunc(slices.Clone(s.cases), func(k PlannedCase) bool {
		return k.Providers == 2 || len(s.d.Monitors) > 0 && len(s.monitors(slot, k, nil)) == 0
	})
	var free []string
	for _, name := range s.names {
		if s.free(name, slot) {
			free = append(free, name)
		}
	}
	for _, r := range free {
		for _, p := range free {
			if p != r {
				if e, ok := s.best(slot, watchable, r, p); ok {
					edges[Pair{r, p}] = e
				}
			}
		}
	}
	return edges
}

// choose takes pairs by weight while both systems have room.
func (s *scheduler) choose(slot int, edges map[Pair]Meeting) []Meeting {
	byWeight := slices.SortedFunc(maps.Values(edges), func(a, b Meeting) int {
		return cmp.Or(heaviest(a, b), strings.Compare(a.Requester, b.Requester), strings.Compare(a.Provider, b.Provider))
	})
	taken := map[string]int{}
	var chosen []Meeting
	for _, e := range byWeight {
		if s.room(e.Requester, slot) > taken[e.Requester] && s.room(e.Provider, slot) > taken[e.Provider] {
			taken[e.Requester]++
			taken[e.Provider]++
			chosen = append(chosen, e)
		}
	}
	return chosen
}

// room is how many more tests a system can play in a slot.
func (s *scheduler) room(name string, slot int) int {
	return max(s.systems[name].Capacity, 1) - s.busy[name][slot]
}

// best is the heaviest of these cases that two systems can play together and
// that one of them still needs.
func (s *scheduler) best(slot int, cases []PlannedCase, r, p string) (Meeting, bool) {
	var best Meeting
	found := false
	for _, kase := range cases {
		if s.met[key(kase.ID, r, p)] || !s.needed(kase.ID, r, p) || !s.fits(kase, s.systems[r], s.systems[p]) {
			continue
		}
		if w := s.weigh(slot, kase, r, p, nil); w > 0 && (!found || w > best.weight) {
			best, found = Meeting{Slot: slot, Case: kase.ID, Requester: r, Provider: p, weight: w}, true
		}
	}
	return best, found
}

func (s *scheduler) needed(kase, r, p string) bool {
	nr, np := s.needs[needKey{r, kase, Requester}], s.needs[needKey{p, kase, Provider}]
	return nr != nil && nr.Missing > 0 || np != nil && np.Missing > 0
}

// weigh gives a pairing its weight; each term of it is told to tell, which may
// be nil.
func (s *scheduler) weigh(slot int, kase PlannedCase, r, p string, tell func(weight float64, words ...string)) (sum float64) {
	add := func(weight float64, words ...string) {
		sum += weight
		if tell != nil && weight != 0 {
			tell(weight, words...)
		}
	}
	sr, sp := s.systems[r], s.systems[p]
	blocking := false
	for _, side := range [2]needKey{{r, kase.ID, Requester}, {p, kase.ID, Provider}} {
		if need := s.needs[side]; need != nil && need.Missing > 0 {
			add(weightNeed*float64(min(need.Missing, 3)), side.system, "still needs partners for", kase.ID)
			blocking = blocking || need.Blocking
		}
	}
	if blocking {
		add(weightBlocking, "a level hangs on it")
	}
	if !s.country[countries(sr, sp)] {
		add(weightNewPair, sr.Country, "and", sp.Country, "have not met yet")
	}
	if kase.Theme {
		add(weightTheme, kase.ID, "belongs to the theme")
	}
	if s.failed[key(kase.ID, r, p)] {
		add(weightFailed, "they failed it lately")
	}
	if gap := sr.Zone - sp.Zone; gap != 0 {
		add(weightZone*float64(max(gap, -gap)), "they are hours apart")
	}
	if last, ok := s.last[r]; ok && last != Requester {
		add(weightSwitch, r, "changes its role")
	}
	if last, ok := s.last[p]; ok && last != Provider {
		add(weightSwitch, p, "changes its role")
	}
	if wait := s.waiting(r, slot) + s.waiting(p, slot); wait > 0 {
		add(weightWaiting*float64(wait), "they have been waiting")
	}
	if kase.ID == "TC01" && sr.Newcomer != sp.Newcomer && len(s.order[r])+len(s.order[p]) == 0 {
		add(weightNewcomer, "a newcomer starts with an experienced partner")
	}
	return sum
}

// explain fills in why a meeting was chosen, the heaviest reason first.
func (s *scheduler) explain(m *Meeting, kase PlannedCase) {
	type reason struct {
		weight float64
		text   string
	}
	var reasons []reason
	s.weigh(m.Slot, kase, m.Requester, m.Provider, func(weight float64, words ...string) {
		reasons = append(reasons, reason{weight, strings.Join(words, " ")})
	})
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(max(b.weight, -b.weight), max(a.weight, -a.weight)) })
	for _, r := range reasons {
		m.Why = append(m.Why, r.text)
	}
}

// waiting is how many slots a system has had no test, five at most.
func (s *scheduler) waiting(name string, slot int) int {
	n := 0
	for i := slot - 1; i >= 0 && n < 5 && s.busy[name][i] == 0; i-- {
		n++
	}
	return n
}

// exchange improves a slot: two pairs change partners, or a pair takes in an
// idle system, as long as the sum of the weights grows. An idle system stands
// as a meeting without a provider and with no weight.
func (s *scheduler) exchange(slot int, chosen []Meeting, edges map[Pair]Meeting) []Meeting {
	taken, used := map[Pair]bool{}, map[string]int{}
	for _, m := range chosen {
		taken[Pair{m.Requester, m.Provider}] = true
		used[m.Requester]++
		used[m.Provider]++
	}
	for _, name := range s.names {
		if s.free(name, slot) {
			for range s.room(name, slot) - used[name] {
				chosen = append(chosen, Meeting{Requester: name})
			}
		}
	}
	for better := true; better; {
		better = false
		for i := range chosen {
			for j := i + 1; j < len(chosen); j++ {
				a, b := chosen[i], chosen[j]
				x, y, ok := exchanged(a, b, edges, taken)
				if !ok {
					continue
				}
				delete(taken, Pair{a.Requester, a.Provider})
				delete(taken, Pair{b.Requester, b.Provider})
				taken[Pair{x.Requester, x.Provider}], taken[Pair{y.Requester, y.Provider}] = true, true
				chosen[i], chosen[j], better = x, y, true
			}
		}
	}
	chosen = slices.DeleteFunc(chosen, func(m Meeting) bool { return m.Provider == "" })
	slices.SortStableFunc(chosen, heaviest)
	return chosen
}

// exchanged is the heaviest way in which four places can form two pairs, if it
// weighs more than they do now.
func exchanged(a, b Meeting, edges map[Pair]Meeting, taken map[Pair]bool) (x, y Meeting, better bool) {
	four := [4]string{a.Requester, a.Provider, b.Requester, b.Provider}
	most := a.weight + b.weight + 1e-9
	meeting := func(one, other string, turned bool) (Meeting, bool) {
		if one == "" || other == "" {
			return Meeting{Requester: one + other}, true
		}
		p := Pair{one, other}
		if turned {
			p = Pair{other, one}
		}
		m, ok := edges[p]
		return m, ok && !taken[p]
	}
	for _, way := range [3][4]int{{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}} {
		for turn := range 4 { // each pair either way round
			m, okM := meeting(four[way[0]], four[way[1]], turn&1 != 0)
			n, okN := meeting(four[way[2]], four[way[3]], turn&2 != 0)
			if okM && okN && m.weight+n.weight > most {
				x, y, better, most = m, n, true, m.weight+n.weight
			}
		}
	}
	return x, y, better
}
