package testbed

import "slices"

// Shown is what a suite's runs say about one peer case: of the cases which show
// it (see Case.Shows) the worst result is Result.
type Shown struct {
	Case   string // of the peer case
	Result Result // pass, pass_with_warnings or fail
	Runs   []*Run
}

// shown gives what the runs of a suite show of peer cases for a component, in
// the order of the suite; of several components that the same cases count to the
// first alone. One failure shows that a promise is not kept; that it is kept only
// all cases together do, each of them passed.
func (r *Report) shown(s *Suite, of *Component, codes []string) (out []Shown) {
	if s == nil {
		return nil
	}
	missing := map[string]bool{}
	for _, k := range s.Cases {
		if k.Shows == "" || !slices.Contains(of.Roles, k.Role) || componentFor(codes, k.Role) != of || !k.Speaks(r.Line) {
			continue
		}
		i := slices.IndexFunc(out, func(x Shown) bool { return x.Case == k.Shows })
		if i < 0 {
			i, out = len(out), append(out, Shown{Case: k.Shows, Result: Pass})
		}
		at := slices.IndexFunc(r.Runs, func(run *Run) bool { return run.Case == k.ID })
		if at < 0 || !slices.Contains([]Result{Pass, Warnings, Fail}, r.Runs[at].Result) {
			missing[k.Shows] = true
			continue
		}
		if out[i].Runs = append(out[i].Runs, r.Runs[at]); weight[r.Runs[at].Result] > weight[out[i].Result] {
			out[i].Result = r.Runs[at].Result
		}
	}
	return slices.DeleteFunc(out, func(x Shown) bool { return missing[x.Case] && x.Result != Fail })
}
