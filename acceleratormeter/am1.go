package acceleratormeter

func AM1() Criteria        { return Criteria{ID: "AM-1"} }
func AM1Strict() Criteria  { return Criteria{ID: "AM-1-strict"} }
func AM1Lenient() Criteria { return Criteria{ID: "AM-1-lenient"} }

// Texts are the English defaults of every message key of this package: criteria,
// needs, levels. Values stand in braces: {component}.
func Texts() map[string]string { return nil }

type judge struct{}
