package acceleratormeter

import "slices"

// part is a component that a role is made of, and the suites that prove it.
type part struct {
	code   string
	suites []string // whole suites, all of them
	// from is the level from which the requester and the provider need it; 0:
	// never (optional).
	from [3]int
	// instead proves a component that has no suite of its own, or whose suite only
	// some need.
	instead func(*judge) []slot
	preview bool // not needed while the preview space is exempt
}

// parts are the components required per role. CSI and SMP are optional and carry
// nothing.
var parts = []part{
	{code: "AP", suites: []string{"AS4-CONN", "AS4-PROF"}, from: [3]int{asks: 3, answers: 3}},
	{code: "CSQ", suites: []string{"CS-QRY-EB", "CS-QRY-DSD", "CS-DISC", "CS-SIG", "CS-VER"}, from: [3]int{asks: 3}},
	{code: "ER", suites: []string{"EDM-MSG", "EDM-XVAL", "ER-SIM"}, from: [3]int{asks: 3}},
	{code: "PP", suites: []string{"ER-SIM"}, from: [3]int{asks: 3}},
	{code: "EID-R", suites: []string{"EID"}, from: [3]int{asks: 3}},
	{code: "DS", suites: []string{"EDM-MSG", "EDM-XVAL", "EP-SIM"}, from: [3]int{answers: 3}},
	{code: "PRV", suites: []string{"EP-SIM"}, from: [3]int{answers: 3}, preview: true},
	{code: "EID-P", suites: []string{"EID"}, from: [3]int{answers: 3}, preview: true},
	{code: "BR", from: [3]int{answers: 5}, instead: byBaseRegister},
	{code: "MD", suites: []string{"LCM"}, from: [3]int{asks: 3, answers: 3}, instead: byRevision},
	{code: "LOG", suites: []string{"LOG"}, from: [3]int{asks: 3, answers: 3}},
	{code: "OPS", suites: []string{"OPS"}, from: [3]int{asks: 4, answers: 4}, instead: byDrills},
	{code: "CSI"},
	{code: "SMP"},
}

// componentOf is the place of a component's code in parts, counted from 1; 0 for
// none.
func componentOf(code string) uint8 {
	for i := range parts {
		if parts[i].code == code {
			return uint8(i) + 1
		}
	}
	return 0
}

// required are the components that the role needs at a level.
func (j *judge) required(level int) []*part {
	exempt, _ := j.exempt()
	var out []*part
	for i := range parts {
		p := &parts[i]
		if from := p.from[j.role]; from != 0 && from <= level && !(p.preview && exempt.ok()) {
			out = append(out, p)
		}
	}
	return out
}

// exempt is the declaration that every evidence type offered is exempt from
// preview (providers only).
func (j *judge) exempt() (slot, bool) {
	var best slot
	if j.role != answers {
		return best, false
	}
	for key, list := range j.declared {
		if c := &list[0]; key.comp == componentOf("PRV") && key.role == j.role && c.x&exempt != 0 && c.slot.better(best) && j.alive(c.slot) {
			best = c.slot
		}
	}
	return best, best.ok()
}

func (j *judge) alive(s slot) bool { return s.until == never || s.until+s.grace > j.at }

// proven gives the facts that prove a component: the declaration, and a pass of
// each suite for the declared version, or what stands for it. A declaration that
// was replaced counts on while its grace runs. strict asks what counts from
// level 4: automated, on a specification line that the set names.
func (j *judge) proven(p *part, strict bool) (best []slot, ok bool) {
	comp := componentOf(p.code)
	var bestUntil int64
	for key, list := range j.declared {
		if key.comp != comp || key.role != j.role && key.role != noRole {
			continue
		}
		for _, c := range j.versions(list) {
			if strict && c.x&manual != 0 {
				continue
			}
			carriers, ok := j.shown(p, &c, strict)
			if !ok {
				continue
			}
			until := int64(never)
			for _, s := range carriers {
				until = min(until, s.until)
			}
			if best == nil || until > bestUntil || until == bestUntil && carriers[0].better(best[0]) {
				best, bestUntil = carriers, until
			}
		}
	}
	return best, best != nil
}

// versions are the declarations that count: the latest, and replaced ones in
// grace, longer when the successor speaks a new major line.
func (j *judge) versions(list []seen) []seen {
	var out []seen
	for i, c := range list {
		if i > 0 {
			next := &list[i-1]
			c.slot.until = min(c.slot.until, next.from)
			if newMajor(next.more.lines, c.more.lines) {
				c.slot.grace = int64(j.pol.LineGraceDays) * day
			}
		}
		if j.alive(c.slot) {
			out = append(out, c)
		}
	}
	return out
}

// newMajor tells whether a declaration speaks a major version of a line that the
// one before did not.
func newMajor(now, before []string) bool {
	major := func(line string) string {
		for i := len(line) - 1; i >= 0; i-- {
			if line[i] == '.' {
				return line[:i]
			}
		}
		return line
	}
	return slices.ContainsFunc(now, func(n string) bool {
		return !slices.ContainsFunc(before, func(b string) bool { return major(b) == major(n) })
	})
}

// shown gives the declaration and what proves it.
func (j *judge) shown(p *part, c *seen, strict bool) ([]slot, bool) {
	carriers := []slot{c.slot}
	if j.pol.SelfDeclared && !strict {
		return carriers, true
	}
	if j.suites(p, c, strict, &carriers) {
		return carriers, true
	}
	if p.instead != nil {
		if s := p.instead(j); s != nil {
			return append(carriers[:1:1], s...), true
		}
	}
	return nil, false
}

func (j *judge) suites(p *part, c *seen, strict bool, carriers *[]slot) bool {
	if len(p.suites) == 0 {
		return false
	}
	for _, name := range p.suites {
		s := j.suite(j.e.words.find(name), c, strict)
		if !s.ok() {
			return false
		}
		*carriers = append(*carriers, s)
	}
	return true
}

// suite is the best pass of a whole suite for a declared component: of its
// system and role, or of a run that names none.
func (j *judge) suite(suite word, c *seen, strict bool) (best slot) {
	var found [4]*results
	failed := int64(-1 << 62)
	for i := range found {
		key := resultKey{suite: suite, system: c.system, version: c.version, comp: c.comp, role: j.role}
		if i&1 != 0 {
			key.system = wNone
		}
		if i&2 != 0 {
			key.role = noRole
		}
		if found[i] = j.results[key]; found[i] != nil {
			failed = max(failed, found[i].failed)
		}
	}
	for _, h := range found {
		if h == nil {
			continue
		}
		for _, p := range h.passes {
			if p.slot.at <= failed || p.env < 1 || strict && (p.x&manual != 0 || !j.onLine(p.spec, c.more.lines)) {
				continue
			}
			if p.slot.better(best) {
				best = p.slot
			}
		}
	}
	return best
}

// onLine tells whether a result counts from level 4: obtained on a line of the
// exchange data model that the set names, or, when it was obtained on another
// axis (Common Services, AS4), by a component that speaks such a line.
func (j *judge) onLine(spec word, declared []string) bool {
	const edm = "oots-edm:"
	if s := j.e.words.text[spec]; len(s) > len(edm) && s[:len(edm)] == edm {
		return slices.Contains(j.pol.Lines, s)
	}
	return slices.ContainsFunc(declared, func(l string) bool { return slices.Contains(j.pol.Lines, l) })
}

// byBaseRegister: a base register link is shown by TC03, the register cut and
// back.
func byBaseRegister(j *judge) []slot { return one(j.peer("TC03", true)) }

// byRevision: metadata kept by screens are shown by a revision that the observer
// saw in acceptance (TC11).
func byRevision(j *judge) []slot { return one(j.observed(3, "revision")) }

// byDrills: operations are shown by the readiness items 11 to 15.
func byDrills(j *judge) []slot {
	var out []slot
	for item := 11; item <= 15; item++ {
		p := j.checks[j.e.words.find(number(item))].best(4, 0)
		if !p.ok() {
			return nil
		}
		out = append(out, p.slot)
	}
	return out
}

func one(s slot) []slot {
	if !s.ok() {
		return nil
	}
	return []slot{s}
}

// observed is the observation of one of the items, in an environment or a more
// demanding one, that holds longest.
func (j *judge) observed(env uint8, items ...string) (best slot) {
	for i := range j.seen {
		o := &j.seen[i]
		if o.env >= env && (o.role == noRole || o.role == j.role) && slices.Contains(items, j.e.words.text[o.item]) && o.slot.better(best) {
			best = o.slot
		}
	}
	return best
}

// peer is the verified pairwise test of a case, or of its variant with another
// source of identity, that holds longest. strict asks what counts from level 4.
func (j *judge) peer(name string, strict bool) (best slot) {
	j.eachPeer(name, strict, func(p *peer) {
		if p.slot.better(best) {
			best = p.slot
		}
	})
	return best
}

func (j *judge) eachPeer(name string, strict bool, yield func(*peer)) {
	names := [2]string{name}
	if name == "TC06" || name == "TC08" {
		names[1] = name + "_b"
	}
	for _, n := range names {
		if n == "" {
			continue
		}
		list := j.peers[peerKey{j.role, j.e.words.find(n)}]
		for i := range list {
			if p := &list[i]; p.env >= 2 && !(strict && p.x&(manual|cached) != 0) {
				yield(p)
			}
		}
	}
}
