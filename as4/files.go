package as4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/once-only/oots/as4/ebms"
)

// Folder is a Files in a folder: one file a key, named by the SHA-256 of it, so
// that no foreign text ever names a file.
type Folder string

func (f Folder) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(string(f), hex.EncodeToString(sum[:])+".part")
}

// Put writes a new file and renames it into place once it is on the disk.
func (f Folder) Put(_ context.Context, key string, r io.Reader) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(string(f), "new-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err = io.Copy(file, r); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), f.name(key))
}

// Open opens the file; its content is read in place.
func (f Folder) Open(_ context.Context, key string) (ebms.Content, error) {
	info, err := os.Stat(f.name(key))
	if err != nil {
		return nil, err
	}
	return storedFile{f.name(key), info.Size()}, nil
}

// Remove deletes the file.
func (f Folder) Remove(_ context.Context, key string) error {
	if err := os.Remove(f.name(key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Sweep deletes files of the folder by their dates.
func (f Folder) Sweep(_ context.Context, keep []string, before time.Time) error {
	kept := map[string]bool{}
	for _, key := range keep {
		kept[filepath.Base(f.name(key))] = true
	}
	files, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, file := range files {
		ours := strings.HasSuffix(file.Name(), ".part") || strings.HasSuffix(file.Name(), ".tmp")
		if info, e := file.Info(); ours && !kept[file.Name()] && e == nil && info.ModTime().Before(before) {
			err = errors.Join(err, os.Remove(filepath.Join(string(f), file.Name())))
		}
	}
	return err
}

// storedFile is content that stays when it is closed.
type storedFile struct {
	name string
	size int64
}

func (s storedFile) Size() int64  { return s.size }
func (s storedFile) Close() error { return nil }

func (s storedFile) NewReader() io.Reader { return &fileReader{name: s.name} }

// fileReader opens its file at the first read and closes it at the end.
type fileReader struct {
	name string
	file *os.File
}

func (r *fileReader) Read(p []byte) (n int, err error) {
	if r.file == nil {
		if r.file, err = os.Open(r.name); err != nil {
			return 0, err
		}
	}
	n, err = r.file.Read(p)
	if err != nil {
		r.file.Close()
	}
	return n, err
}
