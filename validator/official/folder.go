package official

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds on what Load reads. The largest published list (LAU) has 12 MB.
const (
	maxFile  = 32 << 20
	maxTotal = 256 << 20
	maxFiles = 5000
)

// extensions are the kinds of artefact that Load looks at; all else in the
// folder is none of its business.
var extensions = []string{".xsd", ".sch", ".gc"}

// folder holds the artefacts of a user's folder in memory, by slash-separated
// path relative to it. As an fs.FS it is all that a schema can reach.
type folder map[string][]byte

// readFolder reads every artefact under dir. A symbolic link is not followed
// and a file over the bound is not read; both are named as problems.
func readFolder(dir string) (folder, []Problem, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	files, total := folder{}, int64(0)
	var problems []Problem
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !slices.Contains(extensions, strings.ToLower(path.Ext(name))) {
			return nil
		}
		if !d.Type().IsRegular() {
			problems = append(problems, Problem{File: name, Construct: "symbolic link", Text: "is not followed; put a copy of the file in the folder"})
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		total += info.Size()
		switch {
		case info.Size() > maxFile:
			problems = append(problems, Problem{File: name, Construct: "size", Text: fmt.Sprintf("has %d bytes, more than the %d that are read", info.Size(), maxFile)})
			return nil
		case total > maxTotal || len(files) == maxFiles:
			return fmt.Errorf("%s holds more than %d artefacts or %d bytes; name the folder of one release", dir, maxFiles, maxTotal)
		}
		raw, err := fs.ReadFile(root.FS(), name)
		if err != nil {
			return err
		}
		files[name] = raw
		return nil
	})
	return files, problems, err
}

// names lists the files with one extension, in order.
func (f folder) names(ext string) []string {
	var out []string
	for name := range f {
		if strings.EqualFold(path.Ext(name), ext) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// find resolves a location as schemas write it: a path in the folder, or, for
// an address on the network or a path that leads nowhere, the one file of that
// base name. The network itself is never asked.
func (f folder) find(location string) (string, bool) {
	if u, err := url.Parse(location); err == nil && u.Scheme != "" {
		location = u.Path
	}
	name := strings.TrimPrefix(path.Clean(filepath.ToSlash(location)), "/")
	if _, ok := f[name]; ok {
		return name, true
	}
	var found []string
	for other := range f {
		if path.Base(other) == path.Base(name) {
			found = append(found, other)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// Open implements fs.FS.
func (f folder) Open(name string) (fs.File, error) {
	found, ok := f.find(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{name: found, size: int64(len(f[found])), Reader: bytes.NewReader(f[found])}, nil
}

// file is an open file of a folder, and its own fs.FileInfo.
type file struct {
	name string
	size int64
	*bytes.Reader
}

func (f *file) Stat() (fs.FileInfo, error) { return f, nil }
func (f *file) Close() error               { return nil }
func (f *file) Name() string               { return path.Base(f.name) }
func (f *file) Size() int64                { return f.size }
func (f *file) Mode() fs.FileMode          { return 0o444 }
func (f *file) ModTime() time.Time         { return time.Time{} }
func (f *file) IsDir() bool                { return false }
func (f *file) Sys() any                   { return nil }

var _ io.ReaderAt = (*file)(nil)

var errNothing = errors.New("no .xsd, .sch or .gc file that can be used")
