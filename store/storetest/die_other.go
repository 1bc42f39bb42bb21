//go:build !linux

package storetest

import (
	"os/exec"
	"syscall"
)

func dieWithParent(*syscall.SysProcAttr) {}

func startFromMain(c *exec.Cmd) error { return c.Start() }
