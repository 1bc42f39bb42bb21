// Package suites holds the test suites as data: a folder a suite, a file a
// case, base messages beside them. Package testbed reads them; docs/cases.md
// tells how to write one.
package suites

import "embed"

// Files are all suites.
//
//go:embed */*
var Files embed.FS
