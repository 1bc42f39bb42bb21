package acceleratormeter

import (
	"strings"
	"time"
)

// Scheduled is the next scheduled day after an instant: the first Tuesday of a
// month.
func Scheduled(after time.Time) time.Time {
	y, m, _ := after.UTC().Date()
	for {
		first := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		day := first.AddDate(0, 0, (int(time.Tuesday-first.Weekday())+7)%7)
		if day.After(after) {
			return day
		}
		m++
	}
}

// afterEvent is how long after a testing event its snapshot counts as scheduled.
const afterEvent = 21 * 24 * time.Hour

// scheduled tells whether a snapshot may be drafted at an instant without a
// reason: on the first Tuesday of a month, or within three weeks after an event.
func scheduled(at time.Time, events []Event) bool {
	start := time.Date(at.UTC().Year(), at.UTC().Month(), at.UTC().Day(), 0, 0, 0, 0, time.UTC)
	if Scheduled(start.Add(-time.Second)).Equal(start) {
		return true
	}
	for _, v := range events {
		end := v.Ends
		if end.IsZero() {
			end = v.At
		}
		if v.Sort == TestEvent && !at.Before(end) && at.Sub(end) <= afterEvent {
			return true
		}
	}
	return false
}

// ParseInstant reads a date (its end, UTC), a quarter such as 2025-Q2 (the end
// of its last day) or an RFC 3339 time.
func ParseInstant(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return endOf(t), nil
	}
	if len(s) == 7 && (s[5] == 'Q' || s[5] == 'q') && s[6] >= '1' && s[6] <= '4' {
		if y, err := time.Parse("2006-", s[:5]); err == nil {
			return endOf(y.AddDate(0, 3*int(s[6]-'0'), -1)), nil
		}
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	return time.Time{}, &Error{Code: BadDate, Found: s, Hint: "write a day as 2025-06-30, a quarter as 2025-Q2, or an RFC 3339 time"}
}

func endOf(day time.Time) time.Time { return day.AddDate(0, 0, 1).Add(-time.Millisecond) }
