// Package exchange implements both ends of an evidence exchange of the
// Once-Only Technical System: the Evidence Requester behind a procedure portal
// (corner C1) and the Evidence Provider behind a base register (C4), with the
// preview a person decides in, the conversations and their clocks T1 to T3, and
// the log of Article 17 of Regulation (EU) 2022/1463 (TDD 4.4 to 4.10).
//
// It speaks every line of package edm that its partner announces. Messages
// travel through an access point (package as4), rules are judged by package
// validator, directories are asked through Directory. What must survive is in a
// Store; what is personal is sealed before it gets there.
//
// A portal plans (Requester.Plan), requests (Requester.Request), sends the
// person to the preview space (Requester.Redirect), takes the person back
// (Requester.Returned) and collects (Requester.Collect). A preview space opens
// a link (Provider.Open), says who came (Provider.Identify), shows
// (Provider.Show) and decides (Provider.Decide). Node is both behind one access
// point.
package exchange
