package main

import (
	"crypto/rand"
	"fmt"
	"os"

	"github.com/once-only/oots/ledger"
)

type keysReport struct {
	File string `arg:"" help:"File for the private key; it must not exist yet."`
	Name string `default:"team" help:"Name of the key, such as the team's; no blank, no plus sign (${default})."`
}

// Run writes the private key to the file, for its owner alone, and prints the
// public one, which goes to whoever runs the platform.
func (c keysReport) Run(w *world) error {
	private, err := ledger.NewKey(rand.Reader, c.Name)
	if err != nil {
		return err
	}
	key, err := ledger.ParseKey(private)
	if err != nil {
		return fmt.Errorf("--name %q cannot name a key: no blank and no plus sign", c.Name)
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, private); err != nil {
		return err
	}
	fmt.Fprintf(w.err, "The private key is in %s; give the line below to whoever makes your token (oots token create --scope reports:write --key).\n", c.File)
	fmt.Fprintln(w.out, key.Public())
	return f.Close()
}
