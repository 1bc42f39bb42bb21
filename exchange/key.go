package exchange

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeyFile is the file of a node's sealing key, in the folder of its other keys:
// KeySize octets in hexadecimal, readable by the owner only. Without it nothing
// that was sealed can be read again.
const KeyFile = "exchange.key"

// ReadKey reads the sealing key of a folder of keys.
func ReadKey(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("%s is no key: it holds %d hexadecimal digits", filepath.Join(dir, KeyFile), 2*KeySize)
	}
	return key, nil
}

// LoadKey reads the sealing key, or makes it when there is none yet.
func LoadKey(dir string) ([]byte, error) {
	key, err := ReadKey(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails
	file, err := os.OpenFile(filepath.Join(dir, KeyFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ReadKey(dir) // another process was faster
	} else if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintln(file, hex.EncodeToString(key))
	return key, errors.Join(err, file.Sync(), file.Close())
}
