// Package acceleratormeter computes, for every country of the Once-Only
// Technical System, which of six levels of technical readiness it has reached.
//
// A level is a pure function of the facts recorded up to an instant and of a
// criteria set (Assess). What the public sees is a Snapshot: drafted from the
// computed levels, approved by a second person, then published, numbered,
// chained and signed, and never edited. The package reads facts and snapshots
// through ports (Facts, Store); it knows no database (see store) and draws no
// page (see web).
//
// The criteria sets are proposals of this project. The Commission publishes the
// six levels and their meaning in words only; no finer public rule is known.
package acceleratormeter
