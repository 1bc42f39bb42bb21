package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pj "github.com/once-only/oots/projectathon"
)

// stagedBench is a workbench where nothing is played: what is changed stays busy.
type stagedBench struct {
	mu      sync.Mutex
	systems []WorkSystem
	told    []string
}

// stageBench has a faulty system of FI, a healthy one of PT, and one of SE that
// is being changed.
func stageBench() *stagedBench {
	faults := []WorkFault{{"unsigned-receipt", "does not sign its receipts"}, {"wrong-person", "answers for another person"}}
	return &stagedBench{systems: []WorkSystem{
		{Country: "FI", System: "FI_node", Fault: "wrong-person", What: "answers for another person", Level: 3, Risk: true, Faults: faults},
		{Country: "PT", System: "PT_node", Level: 5, Faults: faults},
		{Country: "SE", System: "SE_node", Fault: "unsigned-receipt", What: "does not sign its receipts", Level: 4, Faults: faults, Busy: true},
	}, told: []string{"12:00:01 the event opens", "12:00:02 SE_node plays AS4-CONN <again>"}}
}

func (b *stagedBench) Systems() []WorkSystem {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.systems)
}

func (b *stagedBench) Told() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.told)
}

func (b *stagedBench) Change(_ context.Context, country, fault string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.systems, func(x WorkSystem) bool { return x.Country == country })
	switch {
	case i < 0:
		return errors.New("no such country")
	case b.systems[i].Busy:
		return ErrBusy
	}
	b.systems[i].Fault, b.systems[i].What, b.systems[i].Busy = fault, fault, true
	b.told = append(b.told, country+" is changed")
	return nil
}

func TestTheWorkbenchChangesOneSystemAtATime(t *testing.T) {
	e := stageEvent(t, "FI", "PT")
	s, server := labServer(t, e)
	manager := signedInAs(t, server.URL, "manager")
	page := labGet(t, manager, server.URL+"/en/lab/workbench")
	for _, want := range []string{"answers for another person", "At risk", `<option value="unsigned-receipt"`, "&lt;again&gt;", "Being played", `href="/en/lab/workbench"`, "Sample data", `data-live="/lab/workbench/changes?after=`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	for _, x := range []struct {
		who, country, fault string
		status              int
		says                string
	}{
		{"manager", "XX", "", 422, "not known here"},
		{"manager", "", "", 422, "not known here"},
		{"manager", "FI", "no-such-fault", 422, "not known here"},
		{"manager", "PT", "", 422, "not known here"}, // it is whole
		{"manager", "SE", "", 409, "being changed already"},
		{"coordinator FI", "FI", "", 403, "not yours to do"},
		{"visitor", "FI", "", 403, "not yours to do"},
		{"manager", "FI", "", 303, ""},
		{"manager", "FI", "wrong-person", 409, "being changed already"},
		{"manager", "PT", "wrong-person", 303, ""},
	} {
		r, err := signedInAs(t, server.URL, x.who).PostForm(server.URL+"/en/lab/workbench", url.Values{"country": {x.country}, "fault": {x.fault}})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != x.status || !strings.Contains(string(body), x.says) {
			t.Errorf("%s gives %s the fault %q: %d, want %d with %q", x.who, x.country, x.fault, r.StatusCode, x.status, x.says)
		}
		if at := r.Header.Get("Location"); x.status == http.StatusSeeOther && at != "/en/lab/workbench" {
			t.Errorf("after the change: %q", at)
		}
	}
	lines, err := e.Audit(t.Context(), labAccounts["auditor"], pj.AuditFilter{What: pj.ChangeSystem})
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, l := range lines {
		notes = append(notes, l.On+" "+l.Note+" "+l.By)
	}
	if want := []string{"PT_node asks for the fault wrong-person manager:m1", "FI_node asks to mend wrong-person manager:m1"}; !slices.Equal(notes, want) {
		t.Errorf("the audit trail holds %q", notes)
	}
	s.c.Workbench = nil
	if r, err := manager.Get(server.URL + "/en/lab/workbench"); err != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("without a workbench: %v, %v", r.StatusCode, err)
	}
	if page := labGet(t, manager, server.URL+"/en/lab"); strings.Contains(page, "/lab/workbench") {
		t.Error("without a workbench the pages still lead to it")
	}
}

// What the workbench tells reaches an open page, and only the manager's.
func TestTheWorkbenchIsFollowedLive(t *testing.T) {
	s, server := labServer(t, stageEvent(t, "FI", "PT"))
	if r, err := signedInAs(t, server.URL, "auditor").Get(server.URL + "/lab/workbench/changes"); err != nil || r.StatusCode != http.StatusForbidden {
		t.Fatalf("an auditor gets %v, %v", r.StatusCode, err)
	}
	_, sign, err := s.readWorkbench(labAccounts["manager"])
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/lab/workbench/changes?after="+sign, nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := signedInAs(t, server.URL, "manager").Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if err := s.c.Workbench.Change(ctx, "FI", ""); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stream.Body); ; {
		if !lines.Scan() {
			t.Fatalf("the stream ends: %v", lines.Err())
		}
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			if id == sign {
				t.Error("the page is told of what it shows already")
			}
			return
		}
	}
}
