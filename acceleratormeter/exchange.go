package acceleratormeter

import "slices"

// exchange is one exchange in production that both sides attested.
type exchange struct {
	own, far rec
}

func (x *exchange) slot() slot {
	return slot{id: x.own.id, by: x.far.id, until: never, at: x.own.happened}
}

func (x *exchange) realUser() bool { return x.own.x&x.far.x&realUser != 0 }

// match pairs our attestations with our partners': same hashes of request and
// message id, opposite roles, times within the tolerance, neither a failure.
// The exchanges are sorted by time.
func (d *dossier) match() {
	if len(d.own) == 0 || len(d.far) == 0 {
		return
	}
	byRequest := make(map[string][]int, len(d.far))
	for i := range d.far {
		if d.far[i].partner == d.cc+1 && d.far[i].outcome != wFail {
			byRequest[d.far[i].more.request] = append(byRequest[d.far[i].more.request], i)
		}
	}
	for _, own := range d.own {
		var best *rec
		for _, i := range byRequest[own.more.request] {
			far := &d.far[i]
			apart := max(own.happened, far.happened) - min(own.happened, far.happened)
			if far.country+1 == own.partner && far.more.message == own.more.message && far.role+own.role == asks+answers &&
				own.outcome != wFail && apart <= int64(d.pol.Tolerance)/1000 && (best == nil || far.id < best.id) {
				best = far
			}
		}
		if best != nil {
			d.matched = append(d.matched, exchange{own, *best})
		}
	}
	slices.SortFunc(d.matched, func(a, b exchange) int {
		if a.own.happened != b.own.happened {
			return int(max(-1, min(1, a.own.happened-b.own.happened)))
		}
		if a.own.id < b.own.id {
			return -1
		}
		return 1
	})
}

// consented finds the consents of both countries to a milestone with a partner.
func (d *dossier) consented(item word, partner uint8) (own, far slot) {
	for i := range d.consents {
		c := &d.consents[i]
		if c.item != item || c.until != 0 && c.until <= d.at {
			continue
		}
		s := slot{id: c.id, until: never, at: c.from}
		switch {
		case c.country == d.cc && (c.partner == partner+1 || c.partner == 0) && s.better(own):
			own = s
		case c.country == partner && c.partner == d.cc+1 && s.better(far):
			far = s
		}
	}
	return
}

// milestones are the first exchange and the first user exchange of the country.
func (d *dossier) milestones() []Milestone {
	var out []Milestone
	for _, kind := range []string{FirstExchange, FirstUserExchange} {
		users := kind == FirstUserExchange
		var first *exchange
		last := int64(0)
		for i := range d.matched {
			x := &d.matched[i]
			if users && !x.realUser() {
				continue
			}
			if first == nil {
				first = x
			}
			last = x.own.happened
		}
		if first == nil {
			continue
		}
		m := Milestone{
			Kind: kind, Country: countries[d.cc].Code, At: instant(first.own.happened),
			Facts:   []string{first.own.id, first.far.id},
			Dormant: last+int64(d.pol.ActivityDays)*day <= d.at,
		}
		if own, far := d.consented(d.e.words.find(kind), first.own.partner-1); own.ok() && far.ok() {
			m.Partner = countries[first.own.partner-1].Code
			m.Facts = append(m.Facts, own.id, far.id)
		}
		out = append(out, m)
	}
	return out
}

// breadth counts what the level ignores.
func (d *dossier) breadth() Breadth {
	b := Breadth{Activity: NoActivity}
	authorities, procedures, evidence, lines := map[word]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	var roles [3]map[word]bool
	for key, c := range d.connections {
		if key.env != 4 || c.item != wConnected && c.item != wOpen {
			continue
		}
		authorities[key.authority] = true
		if roles[key.role] == nil {
			roles[key.role] = map[word]bool{}
		}
		roles[key.role][key.authority] = true
		for _, p := range c.more.procedures {
			procedures[p] = true
		}
		for _, t := range c.more.evidence {
			evidence[t] = true
		}
	}
	var partner, tested [nCountries]bool
	recent := d.at - int64(d.pol.ActivityDays)*day
	for i := range d.matched {
		x := &d.matched[i]
		partner[x.own.partner-1] = true
		if x.own.happened > recent {
			if x.realUser() {
				b.Activity = UserActivity
			} else if b.Activity == NoActivity {
				b.Activity = TestActivity
			}
		}
	}
	for _, list := range d.peers {
		for i := range list {
			tested[list[i].partner] = tested[list[i].partner] || list[i].until > d.at
		}
	}
	for _, list := range d.declared {
		for _, l := range list[0].more.lines {
			lines[l] = true
		}
	}
	b.Authorities, b.RequesterAuthorities, b.ProviderAuthorities = len(authorities), len(roles[asks]), len(roles[answers])
	b.Procedures, b.EvidenceTypes = len(procedures), len(evidence)
	for i := range partner {
		if partner[i] {
			b.Partners++
		}
		if tested[i] {
			b.TestPartners++
		}
	}
	for l := range lines {
		b.Lines = append(b.Lines, l)
	}
	slices.Sort(b.Lines)
	return b
}
