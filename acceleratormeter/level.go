package acceleratormeter

// Level is one of the six published levels of the Acceleratormeter.
type Level struct {
	Number  int    `json:"number"`  // 1 to 6; 0 stands for "not assessed" and is no level
	Key     string `json:"key"`     // message key of the label; "<key>.meaning" is that of the meaning
	Label   string `json:"label"`   // English
	Meaning string `json:"meaning"` // one English sentence, in our own words
}

// Levels are the six levels in their order. The labels are the published ones.
func Levels() []Level {
	return []Level{
		{1, "level.1", "Initial", "The country prepares its national development and the integration with the Common Services."},
		{2, "level.2", "Preliminary", "Building has begun and first links to the Common Services exist; several components are missing or still manual."},
		{3, "level.3", "Intermediate", "Most components work or will within months; some technical items still block readiness."},
		{4, "level.4", "Technically ready", "The national implementation is ready; what is missing are connected authorities that ask for or provide evidence."},
		{5, "level.5", "First live transactions", "At least one authority is connected, and an exchange with another country has succeeded in production."},
		{6, "level.6", "End-user transactions", "Connected services are open to citizens or businesses, who have begun to use them."},
	}
}

// TechnicallyReady is the level from which a country counts as technically
// ready, and Live the one from which it counts as live.
const (
	TechnicallyReady = 4
	Live             = 5
)
