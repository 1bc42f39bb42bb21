package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"
)

// flagsOf reads a file that says the flags of a command, each under its name. A
// path in it that is no address is relative to the file.
func flagsOf(r io.Reader) (kong.Resolver, error) {
	values := map[string]any{}
	if _, err := toml.NewDecoder(r).Decode(&values); err != nil {
		return nil, err
	}
	dir := "."
	if f, ok := r.(interface{ Name() string }); ok {
		dir = filepath.Dir(f.Name())
	}
	return flagFile{values, dir}, nil
}

type flagFile struct {
	values map[string]any
	dir    string
}

// Validate refuses what no flag is called.
func (f flagFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, flag := range n.Flags {
			known[flag.Name] = true
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(app.Node)
	for name := range f.values {
		if !known[name] {
			return fmt.Errorf("the file names %q, which is no flag", name)
		}
	}
	return nil
}

// Resolve gives a flag's value, nil where the file does not say it.
func (f flagFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	v, ok := f.values[flag.Name]
	if !ok {
		return nil, nil
	}
	if s, text := v.(string); text && isPath(flag) && !filepath.IsAbs(s) {
		return filepath.Join(f.dir, s), nil
	}
	return v, nil
}

func isPath(flag *kong.Flag) bool {
	return strings.HasPrefix(flag.Tag.Type, "existing") || flag.Tag.Type == "path"
}
