//go:build unix && !aix && !solaris && !illumos

package ebms

import (
	"os"
	"syscall"
)

// mapFile maps a sealed spool file for reading; nil if the system refuses.
func mapFile(f *os.File, size int64) ([]byte, func() error) {
	if size == 0 || size != int64(int(size)) {
		return nil, nil
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil
	}
	return m, func() error { return syscall.Munmap(m) }
}

// hide unlinks the file at once, so that a crash leaves nothing behind.
func hide(f *os.File) { os.Remove(f.Name()) }
