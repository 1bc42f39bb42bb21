// Package oots is the root of the Once-Only Technical System: a guide to the
// tree is in README.md, the direction of imports in floors_test.go.
package oots
