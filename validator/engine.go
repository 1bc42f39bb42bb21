package validator

import (
	"fmt"
	"sync"

	"github.com/once-only/oots/codelist"
	"github.com/once-only/oots/xmltree"
)

// Config says how to judge. The zero value is good.
type Config struct {
	// Tables are the rules; nil means Tables().
	Tables []Table
	// Limits bound what is read; the zero value takes those of xmltree.
	Limits xmltree.Limits
	// MaxFindings bounds the report of one message; 0 means 500.
	MaxFindings int
	// Lists are the code lists; nil means the built-in ones, in their edition of
	// 2022 for line 1.0. A rule whose list is missing, such as NUTS unless it was
	// loaded, is not evaluated.
	Lists *codelist.Set
}

// Validator judges messages. It may be used by several goroutines.
type Validator struct {
	cfg     Config
	lists   *codelist.Set
	lists10 *codelist.Set
	mu      sync.Mutex
	indexes map[indexKey]*index
	schemas map[Lines]*schema
}

type indexKey struct {
	kind Kinds
	line Lines
}

// New prepares a validator. Rules are compiled when a message first needs them.
// It panics on a rule table that contradicts itself: that is a defect of the
// program, not of a message.
func New(cfg Config) *Validator {
	if cfg.Tables == nil {
		cfg.Tables = Tables()
	}
	if cfg.MaxFindings == 0 {
		cfg.MaxFindings = 500
	}
	return &Validator{cfg: cfg, lists: codelist.BuiltIn(), lists10: codelist.Edition2022(), indexes: map[indexKey]*index{}, schemas: map[Lines]*schema{}}
}

// Options tell what is known about a message beforehand.
type Options struct {
	Name string // of the message, for the report
	Kind Kinds  // Unknown: detect
	Line Lines  // 0: detect
}

// Message is a document under judgement.
type Message struct {
	Name  string
	Kind  Kinds
	Line  Lines // one line
	Doc   *xmltree.Document
	lists *codelist.Set
	// What checks of siblings look up, built once for each parent: a check that
	// scanned its siblings would let a hostile message cost their square.
	objects map[*Node]*objectIndex
	langs   map[*Node]map[langKey]*Node
}

// objectIndex finds the objects of one rim:RegistryObjectList.
type objectIndex struct {
	byID    map[string]*Node // the first of each id
	sources map[string]bool  // ids that an association names as its source
}

func (m *Message) objectsOf(list *Node) *objectIndex {
	if x := m.objects[list]; x != nil {
		return x
	}
	x := &objectIndex{map[string]*Node{}, map[string]bool{}}
	for o := range list.Each(nsRIM, "RegistryObject") {
		if id := o.Attr("", "id"); id != "" && x.byID[id] == nil {
			x.byID[id] = o
		}
		if ofType("rim:AssociationType")(m, o) {
			x.sources[o.Attr("", "sourceObject")] = true
		}
	}
	if m.objects == nil {
		m.objects = map[*Node]*objectIndex{}
	}
	m.objects[list] = x
	return x
}

// langKey is what no two siblings may share (R-EDM-ERR-S030).
type langKey struct{ local, lang string }

// firstInLang is the first child of parent with that name and language.
func (m *Message) firstInLang(parent *Node, key langKey) *Node {
	x := m.langs[parent]
	if x == nil {
		x = map[langKey]*Node{}
		for c := parent.First(); c != nil; c = c.Next() {
			k := langKey{c.Local(), c.Attr("", "lang")}
			if c.HasAttr("", "lang") && x[k] == nil {
				x[k] = c
			}
		}
		if m.langs == nil {
			m.langs = map[*Node]map[langKey]*Node{}
		}
		m.langs[parent] = x
	}
	return x[key]
}

// Root is the document element.
func (m *Message) Root() *Node { return m.Doc.Root }

// index holds the rules of one kind on one line.
type index struct {
	rules    []*Rule
	ids      []string // each id once
	id       []int32  // of each rule, its place in ids
	cites    []string
	advice   []bool
	content  []bool
	dispatch dispatch
	schema   *schema
}

// index compiles, or finds compiled, the rules of a kind on a line.
func (v *Validator) index(kind Kinds, line Lines) *index {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := indexKey{kind, line}
	if ix := v.indexes[key]; ix != nil {
		return ix
	}
	ix := &index{}
	ids := map[string]int32{}
	for t := range v.cfg.Tables {
		table := &v.cfg.Tables[t]
		for i := range table.Rules {
			r := &table.Rules[i]
			on := r.On
			if on == 0 {
				on = table.On
			}
			certain := r.certain()&line != 0
			if on&kind == 0 || !certain && r.Advice&line == 0 {
				continue
			}
			if err := ix.dispatch.add(r.At, int32(len(ix.rules))); err != nil {
				panic(fmt.Sprintf("rule %s: %v", r.ID, err))
			}
			cites := r.Cites
			if cites == "" {
				cites = table.Cites
			}
			if _, ok := ids[r.ID]; !ok {
				ids[r.ID] = int32(len(ix.ids))
				ix.ids = append(ix.ids, r.ID)
			}
			ix.rules = append(ix.rules, r)
			ix.id = append(ix.id, ids[r.ID])
			ix.cites = append(ix.cites, cites)
			ix.advice = append(ix.advice, !certain)
			ix.content = append(ix.content, r.isContent())
		}
	}
	if v.schemas[line] == nil {
		sc, err := compileStructure(structures(line)...)
		if err != nil {
			panic(err)
		}
		v.schemas[line] = sc
	}
	ix.schema = v.schemas[line]
	v.indexes[key] = ix
	return ix
}

// Validate judges one message by its structure and its rules.
func (v *Validator) Validate(src []byte, opt Options) *Report {
	rep := &Report{Name: opt.Name, Kind: opt.Kind, Findings: []Finding{}}
	doc, err := xmltree.Parse(src, xmltree.Options{Limits: v.cfg.Limits, KeepProcessing: true})
	if err == nil && len(doc.Notes) > 0 && messaging(doc.Root) != nil {
		// A SOAP envelope must not carry one; read it again for the true place.
		_, err = xmltree.Parse(src, xmltree.Options{Limits: v.cfg.Limits})
	}
	if err != nil {
		rep.Findings = append(rep.Findings, unreadable(err))
		return rep
	}
	return v.ValidateDocument(doc, opt)
}

// ValidateDocument judges a document that was read already.
func (v *Validator) ValidateDocument(doc *xmltree.Document, opt Options) *Report {
	rep := &Report{Name: opt.Name, Kind: opt.Kind, Findings: []Finding{}}
	m := &Message{Name: opt.Name, Doc: doc, Kind: opt.Kind, Line: opt.Line}
	if m.Kind == Unknown {
		m.Kind = detectKind(doc.Root)
	}
	if m.Line == 0 {
		m.Line = detectLine(doc.Root, m.Kind)
	}
	m.lists = v.listsOf(m.Line)
	rep.Message, rep.Kind, rep.Lines = m, m.Kind, m.Line
	rep.Specification = specification(m.Kind, m.Line)
	for _, n := range doc.Notes {
		pos := doc.Position(n.Offset)
		rep.Notes = append(rep.Notes, Note{pos.Line, pos.Column, n.Text})
	}
	if m.Kind == Unknown {
		rep.Findings = append(rep.Findings, unknownRoot(doc.Root))
		return rep
	}
	ix := v.index(m.Kind, m.Line)
	w := walk{m: m, ix: ix, rep: rep, most: v.cfg.MaxFindings, seen: make([]uint8, len(ix.rules))}
	w.onDefect = w.defect
	typ := ix.schema.types[display(doc.Root.Space(), doc.Root.Local())]
	w.stack = append(make([]*state, 0, 64), &ix.dispatch.root)
	w.element(doc.Root, 0, 1, typ)
	w.close()
	return rep
}

func (v *Validator) listsOf(l Lines) *codelist.Set {
	switch {
	case v.cfg.Lists != nil:
		return v.cfg.Lists
	case l == V10:
		return v.lists10
	}
	return v.lists
}

// What happened to a rule in one message.
const (
	rulePassed uint8 = 1 << iota
	ruleFailed
	ruleSkipped // its place is missing or unsound
	ruleNoList  // it needs a code list that is not at hand
)

// walk goes once over a message.
type walk struct {
	m        *Message
	ix       *index
	rep      *Report
	most     int
	seen     []uint8  // by rule
	stack    []*state // the states of the element at hand, above those of its ancestors
	from     int      // where those of the element at hand begin
	broken   bool     // its content is unsound
	onDefect func(defect)
}

// element judges n and all below it; the states of its parent are
// stack[from:to].
func (w *walk) element(n *Node, from, to int, typ *typeDef) {
	mine := len(w.stack)
	w.stack = w.ix.dispatch.enter(w.stack, from, to, n, n.Space(), n.Local())
	end := len(w.stack)
	w.from, w.broken = mine, false
	if typ != nil {
		typ.check(n, w.onDefect)
	}
	for i := mine; i < end; i++ {
		for _, r := range w.stack[i].rules {
			if w.broken && w.ix.content[r] {
				w.seen[r] |= ruleSkipped
				continue
			}
			w.judge(r, n)
		}
	}
	for c := n.First(); c != nil; c = c.Next() {
		var ct *typeDef
		if typ != nil {
			ct = typ.child(w.ix.schema, c, c.Space(), c.Local())
		}
		w.element(c, mine, end, ct)
	}
	w.stack = w.stack[:mine]
}

func (w *walk) judge(r int32, n *Node) {
	rule := w.ix.rules[r]
	f := rule.Check.Test(w.m, n)
	switch {
	case f == nil:
		w.seen[r] |= rulePassed
		return
	case f == noList:
		w.seen[r] |= ruleNoList
		return
	}
	w.seen[r] |= ruleFailed
	at := f.At
	if at == nil {
		at = n
	}
	w.add(at, f.Attr, Finding{
		Rule: rule.ID, Severity: rule.Severity, Advice: w.ix.advice[r],
		Found: clip(f.Found), Expected: first(f.Expect, rule.Check.Expect),
		Mend: first(rule.Mend, rule.Check.Mend), Cites: w.ix.cites[r],
	})
}

// defect takes one breach of the structure.
func (w *walk) defect(d defect) {
	if d.values {
		w.broken = true
	}
	if d.absent != nil {
		for _, s := range w.stack[w.from:] {
			for i := range s.next {
				if e := &s.next[i]; e.local == d.absent.local && e.space == d.absent.space {
					e.to.below(func(r int32) { w.seen[r] |= ruleSkipped })
				}
			}
		}
	}
	w.add(d.at, d.attr, Finding{Rule: d.id, Severity: Fatal, Found: clip(d.found), Expected: d.expect, Mend: d.mend, Cites: structureCites(w.m.Kind)})
}

// add places a finding.
func (w *walk) add(at *Node, attribute string, f Finding) {
	if len(w.rep.Findings) >= w.most {
		if f.Refuses() {
			w.rep.More++
		}
		return
	}
	pos := at.Pos()
	f.Path = at.Path()
	if attribute != "" {
		space, local := "", attribute
		if p, l, ok := cut(attribute, ':'); ok {
			space, local = namespaceOf(p), l
		}
		if a := at.FindAttr(space, local); a != nil {
			pos, f.Path = a.Pos(), a.Path()
		}
	}
	f.Line, f.Column = pos.Line, pos.Column
	w.rep.Findings = append(w.rep.Findings, f)
}

// close sums up what happened to each rule. A rule of two entries is passed
// only when none of them failed.
func (w *walk) close() {
	sum := make([]uint8, len(w.ix.ids))
	for i, s := range w.seen {
		sum[w.ix.id[i]] |= s
	}
	w.rep.Passed = make([]string, 0, len(sum))
	for i, id := range w.ix.ids {
		switch s := sum[i]; {
		case s == 0 || s&ruleFailed != 0:
		case s&ruleNoList != 0:
			w.rep.NotEvaluated = append(w.rep.NotEvaluated, NotEvaluated{id, "the code list it needs is not loaded"})
		case s&ruleSkipped != 0:
			w.rep.NotEvaluated = append(w.rep.NotEvaluated, NotEvaluated{id, "the structure it depends on is broken"})
		default:
			w.rep.Passed = append(w.rep.Passed, id)
		}
	}
	w.rep.sort()
}

func first(words ...string) string {
	for _, s := range words {
		if s != "" {
			return s
		}
	}
	return ""
}

func cut(s string, sep byte) (before, after string, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] == sep {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
