// Package validator judges the messages of the Once-Only Technical System and
// whole conversations of them: a message in, findings out, offline.
//
// It knows the business rules of the Exchange Data Model (Evidence Request,
// Evidence Response, Error Response and their ebMS header, TDD 4.5 to 4.7),
// those of the Common Services (TDD 3), a structural description of each
// message per wire line that stands in for the XML Schemas, and checks of its
// own between the messages of one conversation.
//
// One rule is one entry of a table: public id, citation, severity, lines, the
// place it looks at, the check, how to mend it. Structure comes first: where it
// is broken, the content rules that depend on it are "not evaluated", never
// "passed". A rule whose text or reach is uncertain for a line is reported as
// advice and never refuses a message.
//
// It decodes nothing into a model (see edm) and opens no envelope (see as4).
// Running a user's own copy of the official artefacts beside these rules is the
// work of validator/official.
package validator
