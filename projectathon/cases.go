package projectathon

// Cases are the peer cases of the catalogue as events use them (TC01 to TC12
// with their variants, TC20 to TC34). Steps are those that both sides can see.
func Cases() []Case {
	ask := []Step{
		{ID: "lookup", Title: "The requester asks the Evidence Broker and the Data Service Directory", Actor: Requester},
		{ID: "request", Title: "The requester sends the Evidence Request", Actor: Requester},
	}
	answer := Step{ID: "answer", Title: "The provider answers", Actor: Provider}
	use := Step{ID: "use", Title: "The portal uses the answer", Actor: Requester}
	preview := []Step{
		{ID: "exception", Title: "The provider asks for a preview", Actor: Provider},
		{ID: "again", Title: "The requester sends the second request and leads the user to the preview", Actor: Requester},
		{ID: "decide", Title: "The user signs in, looks and decides", Actor: Provider},
	}
	plain := steps(ask, answer, use)
	viewed := steps(ask, preview, answer, use)
	var out []Case
	for _, r := range []struct {
		id, title string
		level     int
		steps     []Step
		expertise string
	}{
		{"TC01", "One PDF, no preview", 3, plain, ""},
		{"TC02", "No match", 4, plain, ""},
		{"TC03", "The base register fails", 4, plain, ""},
		{"TC04", "The access point is down", 4, plain, "eDelivery"},
		{"TC04_b", "The access point comes back in time", 4, plain, "eDelivery"},
		{"TC05", "Directory dialogue", 4, plain, "Common Services"},
		{"TC06", "Preview with re-authentication", 3, viewed, ""},
		{"TC06_b", "Preview, identity from another source", 0, viewed, "eID"},
		{"TC07", "Two evidences from two providers", 0, viewed, ""},
		{"TC07_b", "Two providers, identity from another source", 0, viewed, "eID"},
		{"TC08", "The user refuses", 4, viewed, ""},
		{"TC08_b", "The user refuses, identity from another source", 0, viewed, "eID"},
		{"TC09", "The preview is closed or idle", 4, viewed, ""},
		{"TC10", "Structured evidence", 0, viewed, "specifications"},
		{"TC10_b", "Structured evidence, identity from another source", 0, viewed, "eID"},
		{"TC11", "Directory change by screen", 4, plain, "Common Services"},
		{"TC12", "Directory change by life-cycle management over AS4", 0, plain, "Common Services"},
		{"TC20", "An invalid request is refused", 4, plain, "specifications"},
		{"TC21", "A replayed request is refused", 4, plain, "specifications"},
		{"TC22", "Unknown procedure or evidence", 4, plain, "specifications"},
		{"TC23", "Time-outs T1, T2 and T3", 4, plain, "specifications"},
		{"TC24", "Packaging with translation and annex", 0, plain, ""},
		{"TC25", "Deferred answer", 0, plain, ""},
		{"TC26", "National classification finds the provider", 0, plain, "Common Services"},
		{"TC27", "Legal person, and representative", 0, plain, "eID"},
		{"TC28", "Lines 1.2 and 2.0 together", 0, plain, "specifications"},
		{"TC29", "A directory answer with a bad signature is refused", 0, plain, "Common Services"},
		{"TC30", "Certificates change without loss", 0, plain, "eDelivery"},
		{"TC31", "Announced maintenance", 0, plain, "eDelivery"},
		{"TC32", "Both logs tell the same exchange", 4, plain, ""},
		{"TC33", "A bridge as provider", 0, plain, ""},
		{"TC34", "The user chooses among providers", 0, plain, ""},
	} {
		c := Case{ID: r.id, Title: r.title, Providers: 1, Level: r.level, Expertise: r.expertise, Steps: r.steps,
			Checklist: []string{"The messages of both sides belong to the same exchange.", "What the user saw agrees with what was sent."}}
		if r.id == "TC07" || r.id == "TC07_b" {
			c.Providers = 2
		}
		out = append(out, c)
	}
	return out
}

// steps joins lists and single steps to a list of its own.
func steps(parts ...any) (out []Step) {
	for _, p := range parts {
		switch p := p.(type) {
		case Step:
			out = append(out, p)
		case []Step:
			out = append(out, p...)
		}
	}
	return out
}
