package storetest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent lets the kernel stop the server when the test binary is gone,
// however it ends. SIGINT is PostgreSQL's fast shutdown.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGINT }

// startFromMain starts a command from a thread that lives as long as the
// process: the kernel's signal is sent when the starting thread ends.
func startFromMain(c *exec.Cmd) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- c.Start()
		select {} // keeps the thread
	}()
	return <-done
}
