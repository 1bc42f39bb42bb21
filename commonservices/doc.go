// Package commonservices implements the three directories of the Once-Only
// Technical System: Evidence Broker (EB), Data Service Directory (DSD) and
// Semantic Repository (SR), as servers and as the client that every Evidence
// Requester needs (TDD 3.1 to 3.7).
//
// It speaks oots-cs:v2.0, v1.2, v1.1 and v1.0 from one model. What a Member
// State writes into the directories comes through package lcm; the vocabulary
// is that of package sdg.
package commonservices
