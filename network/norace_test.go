//go:build !race

package network_test

// raced tells that the race detector slows everything down tenfold.
const raced = false
