package acceleratormeter

import (
	"slices"
	"strings"
)

// Each function judges one criterion of AM-1 for one country in one role.

func takesPart(j *judge) { j.want(j.first, "any-fact", ByCountry) }

func nominated(j *judge) {
	for _, f := range []word{wCoordinator, wContact} {
		s, name := j.nominations[f], j.e.words.text[f]
		if id, ok := j.awaited[waiting{kind: nomination, what: f}]; ok && !s.ok() {
			j.need("nomination-accepted", ByCommission, "function", name, "fact", id)
			continue
		}
		j.want(s, "nomination", ByCountry, "function", name)
	}
}

func registered(j *judge) {
	var best slot
	for key, list := range j.declared {
		if c := &list[0]; key.comp != 0 && (key.role == j.role || key.role == noRole) && j.alive(c.slot) && c.slot.better(best) {
			best = c.slot
		}
	}
	if best.ok() {
		j.carry(best)
		return
	}
	for i := range parts {
		if id, ok := j.awaited[waiting{component, wNone, uint8(i) + 1, j.role}]; ok {
			j.need("component-accepted", ByCommission, "component", parts[i].code, "fact", id)
			return
		}
	}
	j.need("system", ByCountry)
}

// ownMessage: one message of one's own is valid, a request for a requester, a
// response for a provider.
func ownMessage(j *judge) {
	comp := componentOf("ER")
	if j.role == answers {
		comp = componentOf("DS")
	}
	s := j.anyCase(func(k *resultKey) bool {
		return j.is(k.suite, "EDM-MSG") && (k.comp == comp || k.comp == 0 && k.role == j.role)
	}, false)
	j.want(s, "message", ByCountry)
}

func ownQuery(j *judge) {
	s := j.anyCase(func(k *resultKey) bool { return j.is(k.suite, "CS-QRY-EB") || j.is(k.suite, "CS-QRY-DSD") }, false)
	for i := range j.seen {
		if o := &j.seen[i]; o.env >= 3 && j.is(o.item, "revision") && o.slot.better(s) {
			s = o.slot
		}
	}
	j.want(s, "query", ByCountry)
}

func (j *judge) is(w word, text string) bool { return j.e.words.text[w] == text }

// anyCase is the best pass among the results that match.
func (j *judge) anyCase(match func(*resultKey) bool, strict bool) (best slot) {
	not := uint8(0)
	if strict {
		not = manual
	}
	for key, r := range j.results {
		if match(&key) {
			if p := r.best(1, not); p.slot.better(best) {
				best = p.slot
			}
		}
	}
	return best
}

// connected: the suite AS4-CONN has passed for the access point.
func connected(j *judge) {
	var best []slot
	for key, list := range j.declared {
		if key.comp != componentOf("AP") || key.role != j.role && key.role != noRole {
			continue
		}
		for _, c := range j.versions(list) {
			if s := j.suite(j.e.words.find("AS4-CONN"), &c, false); s.ok() && (best == nil || s.better(best[1])) {
				best = []slot{c.slot, s}
			}
		}
	}
	if best == nil {
		j.need("suite", ByCountry, "component", "AP", "suite", "AS4-CONN")
	}
	j.carry(best...)
}

// mostProven: a share of the required components is proven, every other one has
// a plan within the months allowed.
func mostProven(j *judge) {
	required := j.required(3)
	if s, ok := j.exempt(); ok {
		j.carry(s)
	}
	enough := (len(required)*j.pol.ShareOf[0] + j.pol.ShareOf[1] - 1) / j.pol.ShareOf[1]
	shown := make([][]slot, len(required))
	fresh, inGrace := 0, 0
	for i, p := range required {
		shown[i], _ = j.proven(p, false)
		switch {
		case shown[i] == nil:
		case slices.ContainsFunc(shown[i], func(s slot) bool { return s.until <= j.at }):
			inGrace++
		default:
			fresh++
		}
	}
	for i, p := range required {
		plan := j.plans[declKey{wNone, componentOf(p.code), j.role}]
		lapsed := slices.ContainsFunc(shown[i], func(s slot) bool { return s.until <= j.at })
		if shown[i] != nil && !(lapsed && fresh >= enough && plan.ok() && plan.until > j.at) {
			j.carry(shown[i]...)
			continue
		}
		j.want(plan, "plan", ByCountry, "component", p.code)
	}
	if fresh+inGrace < enough {
		j.need("share", ByCountry, "have", number(fresh+inGrace), "of", number(len(required)), "want", number(enough))
	}
}

func inAcceptance(j *judge) {
	if j.role == asks {
		j.want(j.observed(3, "procedure"), "procedure-in-acceptance", ByCountry)
	} else {
		j.want(j.observed(3, "evidence-type", "data-service"), "service-in-acceptance", ByCountry)
	}
}

func baseline(j *judge) {
	s := j.peer("TC01", false)
	if t := j.peer("TC06", false); t.better(s) {
		s = t
	}
	j.wantPeer(s, "TC01", "TC06")
}

// wantPeer carries a pairwise test, or says that it, or only its verdict, is
// missing.
func (j *judge) wantPeer(s slot, cases ...string) {
	if s.ok() {
		j.carry(s)
		return
	}
	for _, c := range cases {
		if id, ok := j.awaited[waiting{peerTest, j.e.words.find(c), 0, j.role}]; ok {
			j.need("verdict", ByMonitor, "case", c, "fact", id)
			return
		}
	}
	j.need("peer", ByTeams, "case", strings.Join(cases, " / "))
}

// ownedBlockers: open blockers are allowed, each with an owner and a date.
func ownedBlockers(j *judge) {
	for i := range j.blockers {
		if b := &j.blockers[i]; j.concerns(b) && (b.more.owner == wNone || b.more.due == 0) {
			j.need("blocker-owner", ByCountry, "fact", b.id)
		}
	}
}

func (j *judge) concerns(b *rec) bool { return b.role == noRole || b.role == j.role }

func allProven(j *judge) {
	if s, ok := j.exempt(); ok {
		j.carry(s)
	}
	for _, p := range j.required(4) {
		j.wantPart(p)
	}
}

func (j *judge) wantPart(p *part) {
	shown, ok := j.proven(p, true)
	if ok {
		j.carry(shown...)
		return
	}
	j.need("component", ByCountry, "component", p.code, "suites", strings.Join(p.suites, ", "))
}

// peerCases are the pairwise cases of level 4 and which role must show each.
// Cases with a preview fall away while the preview space is exempt.
var peerCases = []struct {
	name    string
	must    [3]bool
	preview bool
}{
	{"TC01", [3]bool{asks: true, answers: true}, false},
	{"TC02", [3]bool{asks: true, answers: true}, false},
	{"TC03", [3]bool{answers: true}, false},
	{"TC05", [3]bool{asks: true}, false},
	{"TC06", [3]bool{asks: true, answers: true}, true},
	{"TC08", [3]bool{asks: true, answers: true}, true},
	{"TC09", [3]bool{answers: true}, true},
}

func pairwise(j *judge) {
	free, ok := j.exempt()
	if ok {
		j.carry(free)
	}
	var partner [nCountries]slot
	var event slot
	for _, c := range peerCases {
		var best slot
		j.eachPeer(c.name, true, func(p *peer) {
			if p.slot.better(best) {
				best = p.slot
			}
			if p.slot.better(partner[p.partner]) {
				partner[p.partner] = p.slot
			}
			if p.x&atEvent != 0 && p.slot.better(event) {
				event = p.slot
			}
		})
		if c.must[j.role] && !(c.preview && free.ok()) {
			j.wantPeer(best, c.name)
		}
	}
	var each []slot
	for _, s := range partner {
		if s.ok() {
			each = append(each, s)
		}
	}
	slices.SortFunc(each, func(a, b slot) int {
		if a.better(b) {
			return -1
		}
		return 1
	})
	if len(each) < j.pol.Partners {
		j.need("partners", ByTeams, "have", number(len(each)), "want", number(j.pol.Partners))
	}
	j.carry(each[:min(len(each), j.pol.Partners)]...)
	if j.pol.EventBound {
		j.want(event, "event", ByTeams)
	}
}

func resilience(j *judge) {
	j.wantPeer(j.peer("TC04", true), "TC04")
	j.wantPeer(j.peer("TC04_b", true), "TC04_b")
	j.wantPeer(j.caseOrPeer("TC23", 2), "TC23")
}

func refusals(j *judge) {
	for _, c := range []string{"TC20", "TC21", "TC22"} {
		j.wantPeer(j.caseOrPeer(c, 1), c)
	}
}

// caseOrPeer is a pass of a case alone, or a verified pairwise one.
func (j *judge) caseOrPeer(name string, env uint8) slot {
	best := j.anyCase(func(k *resultKey) bool {
		return j.is(k.kase, name) && (k.role == noRole || k.role == j.role)
	}, true)
	list := j.peers[peerKey{j.role, j.e.words.find(name)}]
	for i := range list {
		if p := &list[i]; p.env >= env && p.x&(manual|cached) == 0 && p.slot.better(best) {
			best = p.slot
		}
	}
	return best
}

func logged(j *judge) {
	j.wantPart(&parts[componentOf("LOG")-1])
	j.wantPeer(j.peer("TC32", true), "TC32")
}

// session: the readiness check is passed: its result, the items 1 to 20, and the
// probes that find the country in production.
func session(j *judge) {
	j.want(j.checks[wSession].best(4, 0).slot, "session", ByCommission)
	for item := 1; item <= 20; item++ {
		s := j.checks[j.e.words.find(number(item))].best(4, 0).slot
		j.want(s, "item", ByCommission, "item", number(item))
	}
	for _, p := range []string{"as4-ping", "cs-reachability", "cs-signature"} {
		j.want(j.probed(p, func(word) bool { return true }), "probe", ByPlatform, "probe", p)
	}
}

// probed is the best successful probe in production of an item whose target
// fits.
func (j *judge) probed(item string, fits func(target word) bool) (best slot) {
	for key, r := range j.probes {
		if key.env == 4 && j.is(key.item, item) && fits(key.target) {
			if p := r.best(4, 0); p.slot.better(best) {
				best = p.slot
			}
		}
	}
	return best
}

func unblocked(j *judge) {
	for i := range j.blockers {
		if b := &j.blockers[i]; j.concerns(b) && b.item == wBlocking {
			j.need("blocker", ByCountry, "fact", b.id)
		}
	}
}

// levelFour: level 4 holds and is not in grace for more than 90 days; the
// components that are required from level 5 are proven.
func levelFour(j *judge) {
	j.holds(4)
	for i := range j.done {
		r := &j.done[i]
		if r.Level <= 4 && r.State == Grace && !r.Optional && r.LapsedAt.UnixMicro()+90*day < j.at {
			j.need("grace", ByCountry, "criterion", r.Criterion)
		}
	}
	for _, p := range j.required(5) {
		if p.from[j.role] == 5 {
			j.wantPart(p)
		}
	}
}

func levelFive(j *judge) { j.holds(5) }

func (j *judge) holds(level int) {
	for i := range j.done {
		if r := &j.done[i]; r.Level <= level && r.State == Missing && !r.Optional {
			j.need("level", ByCountry, "level", number(level))
			return
		}
	}
}

// authority: one is connected in production in the role, and the production
// directories show it.
func authority(j *judge) {
	var conn, sight slot
	items := []string{"procedure"}
	if j.role == answers {
		items = []string{"data-service", "evidence-type"}
	}
	for key, c := range j.connections {
		if key.role != j.role || key.env != 4 || c.item != wConnected && c.item != wOpen {
			continue
		}
		var s slot
		for i := range j.seen {
			o := &j.seen[i]
			if o.env == 4 && (o.role == noRole || o.role == j.role) && (o.authority == wNone || o.authority == key.authority) &&
				slices.Contains(items, j.e.words.text[o.item]) && o.slot.better(s) {
				s = o.slot
			}
		}
		if !conn.ok() || s.better(sight) || s == sight && c.slot.better(conn) {
			conn, sight = c.slot, s
		}
	}
	if id, ok := j.awaited[waiting{kind: connection, role: j.role}]; ok && !conn.ok() {
		j.need("authority-confirmed", ByCommission, "fact", id)
		return
	}
	j.want(conn, "authority", ByCountry)
	j.want(sight, "directory", ByCountry)
}

// exchanged: one exchange in production with another country, attested by both.
func exchanged(j *judge) {
	for i := range j.matched {
		if x := &j.matched[i]; x.own.role == j.role && (j.pol.SystemCheckCounts || x.realUser()) {
			j.carry(x.slot())
			return
		}
	}
	j.needExchange("exchange")
}

func (j *judge) needExchange(key string) {
	var oneSided *rec
	for i := range j.own {
		o := &j.own[i]
		if o.role == j.role && o.partner != 0 && !j.isMatched(o.id) && (oneSided == nil || o.id < oneSided.id) {
			oneSided = o
		}
	}
	if oneSided != nil {
		j.need("attestation", ByBoth, "fact", oneSided.id, "partner", countries[oneSided.partner-1].Code)
		return
	}
	j.need(key, ByBoth)
}

func (j *judge) isMatched(id string) bool {
	return slices.ContainsFunc(j.matched, func(x exchange) bool { return x.own.id == id })
}

// agreed: both countries consent that the first exchange is shown. Without it
// the milestone reads "one partner country"; the level does not wait.
func agreed(j *judge) {
	for i := range j.matched {
		x := &j.matched[i]
		if x.own.role != j.role || !(j.pol.SystemCheckCounts || x.realUser()) {
			continue
		}
		own, far := j.consented(j.e.words.find(FirstExchange), x.own.partner-1)
		j.carry(x.slot())
		j.want(own, "consent", ByCountry, "country", countries[j.cc].Code)
		j.want(far, "consent", ByBoth, "country", countries[x.own.partner-1].Code)
		return
	}
	j.need("exchange", ByBoth)
}

// open: a service is open to the public, its link checked.
func open(j *judge) {
	conn, link := j.openService(func(c *seen) word { return c.link }, "public-link")
	j.want(conn, "open", ByCountry)
	j.want(link, "link", ByPlatform)
}

// supported: the support channel of an open service answers.
func supported(j *judge) {
	conn, link := j.openService(func(c *seen) word { return c.more.support }, "support-link")
	if conn.ok() {
		j.carry(conn)
	}
	j.want(link, "support", ByCountry)
}

// openService is an open connection in production and the probe of one of its
// links; without any probe, an open connection alone.
func (j *judge) openService(target func(*seen) word, item string) (conn, link slot) {
	for key, c := range j.connections {
		if key.role != j.role || key.env != 4 || c.item != wOpen {
			continue
		}
		var s slot
		if t := target(&c); t != wNone {
			s = j.probed(item, func(w word) bool { return w == t })
		}
		if !conn.ok() || s.better(link) || s == link && c.slot.better(conn) {
			conn, link = c.slot, s
		}
	}
	return
}

// used: a real user's exchange in the last days, attested by both.
func used(j *judge) {
	if !j.pol.RequiresRealUser {
		return
	}
	var best slot
	for i := range j.matched {
		x := &j.matched[i]
		if x.own.role != j.role || !x.realUser() {
			continue
		}
		s := x.slot()
		s.until, s.grace = s.at+int64(j.pol.ActivityDays)*day, int64(j.pol.GraceDays)*day
		if j.alive(s) && s.better(best) {
			best = s
		}
	}
	if best.ok() {
		j.carry(best)
		return
	}
	j.needExchange("user-exchange")
}

func reported(j *judge) {
	s := j.months[j.role]
	if t := j.months[noRole]; t.better(s) {
		s = t
	}
	j.want(s, "month", ByCountry)
}
