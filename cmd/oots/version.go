package main

import (
	"fmt"
	"runtime/debug"
)

type version struct{}

// Run prints the module version, the Go release and the platform it was built with.
func (version) Run(w *world) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("this binary carries no build information")
	}
	_, err := fmt.Fprintf(w.out, "oots %s, %s\n", info.Main.Version, info.GoVersion)
	return err
}
