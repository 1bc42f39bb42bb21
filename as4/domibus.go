package as4

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/once-only/oots/as4/ebms"
	"github.com/once-only/oots/pki"
	"github.com/once-only/oots/xmltree"
)

// domibusNS is the namespace of a Domibus P-Mode file.
const domibusNS = "http://domibus.eu/configuration"

// ImportDomibus reads a Domibus P-Mode export as our own: the owner, its
// partners, the legs it sends or receives on, and the retry policy. The
// certificates come from the trust store entries, by alias: a party's alias is
// its name there. The notes say what was not understood or not found; only what
// makes the file unusable is an error. Call Check before use.
func ImportDomibus(file []byte, trust []pki.Entry) (p *PMode, notes []string, err error) {
	doc, err := xmltree.Parse(file, xmltree.Options{KeepProcessing: true})
	if err != nil {
		return nil, nil, err
	}
	root := doc.Root
	if !root.Is(domibusNS, "configuration") {
		return nil, nil, fmt.Errorf("the root is %s, not the configuration of a Domibus P-Mode", root.Name())
	}
	d := domibus{root: root, processes: root.Child("", "businessProcesses"), trust: trust}
	if d.processes == nil {
		return nil, nil, fmt.Errorf("the file has no businessProcesses")
	}
	d.strangers()
	p, err = d.pmode()
	return p, d.notes, err
}

type domibus struct {
	root, processes *xmltree.Element
	trust           []pki.Entry
	notes           []string
}

// known are the elements that a P-Mode export may hold; anything else is noted.
var known = strings.Fields(`configuration mpcs mpc businessProcesses roles role parties partyIdTypes partyIdType party
	identifier meps mep binding properties property propertySet propertyRef payloadProfiles payload payloadProfile attachment
	securities security errorHandlings errorHandling agreements agreement services service actions action as4
	receptionAwareness reliability splittingConfigurations splitting legConfigurations legConfiguration process
	initiatorParties initiatorParty responderParties responderParty legs leg`)

func (d *domibus) strangers() {
	seen := map[string]bool{}
	for e := range d.root.Descendants() {
		if !slices.Contains(known, e.Local()) && !seen[e.Local()] {
			seen[e.Local()] = true
			d.note("line %d: the element %s is not known and was passed over", e.Pos().Line, e.Local())
		}
	}
}

func (d *domibus) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// named finds the element of a given @name at a path below businessProcesses.
func (d *domibus) named(name string, path ...string) *xmltree.Element {
	for e := range d.processes.FindAll("", path...) {
		if attr(e, "name") == name {
			return e
		}
	}
	return nil
}

// attr is an attribute without the white space that exports carry.
func attr(e *xmltree.Element, name string) string { return xmltree.TrimSpace(e.Attr("", name)) }

func (d *domibus) pmode() (*PMode, error) {
	p := &PMode{}
	owner := attr(d.root, "party")
	for e := range d.processes.FindAll("", "parties", "party") {
		id := e.Child("", "identifier")
		if id == nil {
			d.note("line %d: the party %s has no identifier and was left out", e.Pos().Line, attr(e, "name"))
			continue
		}
		if n := e.Count("", "identifier"); n > 1 {
			d.note("line %d: the party %s has %d identifiers; the first one is used", e.Pos().Line, attr(e, "name"), n)
		}
		idType := attr(d.named(attr(id, "partyIdType"), "parties", "partyIdTypes", "partyIdType"), "value")
		partner := &Partner{Name: attr(e, "name"), URL: attr(e, "endpoint"),
			ID: ebms.PartyID{Type: idType, Value: attr(id, "partyId")}}
		if partner.Name == owner {
			p.Self = *partner
			continue
		}
		if cert := d.certificate(partner.Name); cert != nil {
			partner.Sign, partner.Encrypt = []*x509.Certificate{cert}, cert
		} else {
			d.note("the party %s has no certificate in the trust store", partner.Name)
		}
		p.Partners = append(p.Partners, partner)
	}
	if p.Self.ID.Value == "" {
		return nil, fmt.Errorf("the owner %q is not among the parties", owner)
	}
	for e := range d.processes.FindAll("", "legConfigurations", "legConfiguration") {
		if leg := d.leg(e); p.Leg(leg.Service, leg.Action) == nil {
			p.Legs = append(p.Legs, leg)
		}
		if p.Retry == (Retry{}) {
			p.Retry = d.retry(attr(e, "receptionAwareness"))
		}
	}
	d.processRoles(p)
	for _, partner := range p.Partners {
		for _, leg := range p.Legs {
			for _, set := range leg.Properties {
				if !slices.ContainsFunc(partner.Properties, func(s ebms.PropertySet) bool { return slices.Equal(s, set) }) {
					partner.Properties = append(partner.Properties, set)
				}
			}
		}
	}
	return p, nil
}

func (d *domibus) leg(e *xmltree.Element) Leg {
	service := d.named(attr(e, "service"), "services", "service")
	action := d.named(attr(e, "action"), "actions", "action")
	if service == nil || action == nil {
		d.note("line %d: the leg %s names a service or an action that is not there", e.Pos().Line, attr(e, "name"))
	}
	leg := Leg{Service: ebms.Service{Type: attr(service, "type"), Value: attr(service, "value")},
		Action: attr(action, "value"), Compress: attr(e, "compressPayloads") == "true"}
	var set ebms.PropertySet
	if ps := d.named(attr(e, "propertySet"), "properties", "propertySet"); ps != nil {
		for ref := range ps.Each("", "propertyRef") {
			property := d.named(attr(ref, "property"), "properties", "property")
			set = append(set, ebms.PropertyRule{Name: attr(property, "key"), Required: attr(property, "required") == "true"})
		}
	}
	leg.Properties = []ebms.PropertySet{set}
	if security := d.named(attr(e, "security"), "securities", "security"); security != nil {
		method, profile := attr(security, "signatureMethod"), attr(security, "profile")
		if method != "" && method != "RSA_SHA256" || profile != "" && !strings.EqualFold(profile, "rsa") {
			d.note("line %d: the leg %s uses the security %q, which this access point does not offer", e.Pos().Line, attr(e, "name"), method+profile)
		}
	}
	return leg
}

// retry reads "timeout minutes ; count ; strategy".
func (d *domibus) retry(name string) Retry {
	e := d.named(name, "as4", "receptionAwareness")
	if e == nil {
		return Retry{}
	}
	fields := strings.Split(attr(e, "retry"), ";")
	if len(fields) != 3 {
		d.note("line %d: the retry %q is not of the form minutes;count;strategy", e.Pos().Line, attr(e, "retry"))
		return Retry{}
	}
	minutes, err1 := strconv.Atoi(strings.TrimSpace(fields[0]))
	count, err2 := strconv.Atoi(strings.TrimSpace(fields[1]))
	if err1 != nil || err2 != nil || minutes <= 0 || count <= 0 {
		d.note("line %d: the retry %q has no minutes and count", e.Pos().Line, attr(e, "retry"))
		return Retry{}
	}
	if s := strings.TrimSpace(fields[2]); s != "CONSTANT" {
		d.note("line %d: the retry strategy %s is taken as CONSTANT", e.Pos().Line, s)
	}
	return Retry{Attempts: count, Within: time.Duration(minutes) * time.Minute}
}

// processRoles gives the parties the role of the processes they take part in.
func (d *domibus) processRoles(p *PMode) {
	for process := range d.processes.Each("", "process") {
		initiator := attr(d.named(attr(process, "initiatorRole"), "roles", "role"), "value")
		responder := attr(d.named(attr(process, "responderRole"), "roles", "role"), "value")
		if initiator != responder {
			d.note("line %d: the process %s has two roles; %s is used for all parties", process.Pos().Line, attr(process, "name"), initiator)
		}
		if binding := d.named(attr(process, "binding"), "meps", "binding"); binding != nil && !strings.HasSuffix(attr(binding, "value"), "/push") {
			d.note("line %d: the process %s is not one-way push and was read as such", process.Pos().Line, attr(process, "name"))
		}
		if initiator != "" && p.Self.Role == "" {
			p.Self.Role = initiator
			for _, partner := range p.Partners {
				partner.Role = initiator
			}
		}
	}
}

func (d *domibus) certificate(alias string) *x509.Certificate {
	for _, entry := range d.trust {
		if strings.EqualFold(entry.Alias, alias) && len(entry.Chain) > 0 {
			return entry.Chain[0]
		}
	}
	return nil
}
