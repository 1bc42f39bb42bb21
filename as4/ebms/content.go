package ebms

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
)

// Content is the octets of a part, wherever they are. It may be read by
// several readers at once and as often as needed, until it is closed.
type Content interface {
	Size() int64
	// NewReader reads from the beginning. What it returns may implement
	// io.WriterTo, which then is the fast way through.
	NewReader() io.Reader
	// Close frees the storage. Readers then fail; closing twice is harmless.
	Close() error
}

// Bytes is content in memory.
type Bytes []byte

func (b Bytes) Size() int64          { return int64(len(b)) }
func (b Bytes) NewReader() io.Reader { return bytes.NewReader(b) }
func (b Bytes) Close() error         { return nil }

// Spool is storage for the parts of one access point while it works on them.
type Spool interface {
	Create() (SpoolWriter, error)
}

// SpoolWriter takes the octets of one part. Either Seal or Close ends it;
// Close after Seal does nothing.
type SpoolWriter interface {
	io.Writer
	Seal() (Content, error)
	Close() error
}

// Disk is a Spool that keeps small parts in memory and writes others to files
// of its own in a folder, from where they are mapped into memory on systems
// that can. The files are as the octets came: encrypted parts stay encrypted.
type Disk struct {
	Dir string // "" is the system's folder for temporary files
	// Memory is the size up to which a part stays in memory; 0 means 64 KiB.
	Memory int
}

func (d Disk) Create() (SpoolWriter, error) {
	if d.Memory == 0 {
		d.Memory = 64 << 10
	}
	return &diskWriter{disk: d}, nil
}

type diskWriter struct {
	disk Disk
	mem  []byte
	file *os.File
	buf  *bufio.Writer
	size int64
	done bool
}

func (w *diskWriter) Write(p []byte) (int, error) {
	if w.file == nil && len(w.mem)+len(p) <= w.disk.Memory {
		w.mem = append(w.mem, p...)
		return len(p), nil
	}
	if w.file == nil {
		f, err := os.CreateTemp(w.disk.Dir, "part-*.spool")
		if err != nil {
			return 0, err
		}
		hide(f)
		w.file, w.buf = f, bufio.NewWriterSize(f, 64<<10)
		if _, err := w.buf.Write(w.mem); err != nil {
			return 0, err
		}
		w.size, w.mem = int64(len(w.mem)), nil
	}
	n, err := w.buf.Write(p)
	w.size += int64(n)
	return n, err
}

func (w *diskWriter) Seal() (Content, error) {
	if w.done {
		return nil, os.ErrClosed
	}
	if w.file == nil {
		w.done = true
		return Bytes(w.mem), nil
	}
	if err := w.buf.Flush(); err != nil {
		return nil, err
	}
	w.done = true
	c := &fileContent{file: w.file, size: w.size}
	c.mapped, c.unmap = mapFile(w.file, w.size) // nil where it is not possible
	return c, nil
}

func (w *diskWriter) Close() error {
	if w.done {
		return nil
	}
	w.done = true
	if w.file == nil {
		return nil
	}
	return remove(w.file)
}

func remove(f *os.File) error {
	err := f.Close()
	if e := os.Remove(f.Name()); e != nil && !errors.Is(e, os.ErrNotExist) && err == nil {
		err = e
	}
	return err
}

// fileContent is a sealed spool file. The lock keeps a reader from touching a
// mapping that was taken away.
type fileContent struct {
	size int64

	mu     sync.RWMutex
	file   *os.File // nil once closed
	mapped []byte
	unmap  func() error
}

func (c *fileContent) Size() int64 { return c.size }

func (c *fileContent) NewReader() io.Reader { return &fileReader{c: c} }

// ReadAt implements io.ReaderAt.
func (c *fileContent) ReadAt(p []byte, off int64) (int, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.file == nil {
		return 0, os.ErrClosed
	}
	if off >= c.size {
		return 0, io.EOF
	}
	if c.mapped == nil {
		return c.file.ReadAt(p, off)
	}
	n := copy(p, c.mapped[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (c *fileContent) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return nil
	}
	var err error
	if c.mapped != nil {
		err = c.unmap()
	}
	err = errors.Join(err, remove(c.file))
	c.file, c.mapped = nil, nil
	return err
}

type fileReader struct {
	c  *fileContent
	at int64
}

func (r *fileReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.c.ReadAt(p, r.at)
	r.at += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// WriteTo hands out the mapping itself, a window at a time, where there is one.
func (r *fileReader) WriteTo(w io.Writer) (int64, error) {
	const window = 256 << 10
	var total int64
	var buf []byte
	for r.at < r.c.size {
		n, err := func() (int, error) {
			r.c.mu.RLock()
			defer r.c.mu.RUnlock()
			if r.c.file == nil {
				return 0, os.ErrClosed
			}
			m := min(window, r.c.size-r.at)
			if r.c.mapped != nil {
				return w.Write(r.c.mapped[r.at : r.at+m])
			}
			if buf == nil {
				buf = make([]byte, window)
			}
			if _, err := r.c.file.ReadAt(buf[:m], r.at); err != nil {
				return 0, err
			}
			return w.Write(buf[:m])
		}()
		r.at += int64(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Store copies r into the spool. A failure of the spool is EBMS:0202, a failure
// of r is returned as it is.
func Store(s Spool, r io.Reader) (Content, error) {
	w, err := s.Create()
	if err != nil {
		return nil, noRoom(err)
	}
	defer w.Close()
	to := &spoolErrors{w: w}
	if _, err := io.Copy(to, r); err != nil {
		if to.err != nil {
			return nil, noRoom(to.err)
		}
		return nil, err
	}
	c, err := w.Seal()
	if err != nil {
		return nil, noRoom(err)
	}
	return c, nil
}

// spoolErrors remembers that it was the spool that failed.
type spoolErrors struct {
	w   io.Writer
	err error
}

func (s *spoolErrors) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// ReadAll is the whole content, for parts known to be small.
func ReadAll(c Content) ([]byte, error) {
	if b, ok := c.(Bytes); ok {
		return b, nil
	}
	b := bytes.NewBuffer(make([]byte, 0, c.Size()))
	_, err := io.Copy(b, c.NewReader())
	return b.Bytes(), err
}
