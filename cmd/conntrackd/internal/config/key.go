package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"
)

// The lengths of a key in bytes.
const (
	minKey = 16
	maxKey = 4096
)

// ReadKey reads the file of a key: what is in it without white space around, 16 to 4096
// bytes. Nobody but its owner may be able to read or write it.
func ReadKey(path string) ([]byte, error) {
	// Without waiting for a writer, if it is a pipe.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot read the KeyFile: %w", err)
	}
	defer f.Close()
	i, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the KeyFile: %w", err)
	}
	if !i.Mode().IsRegular() || i.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the KeyFile %s must be a file that its owner alone can read (mode 0600)", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKey+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the KeyFile: %w", err)
	}
	if len(b) > maxKey {
		return nil, fmt.Errorf("the KeyFile %s has more than %d bytes", path, maxKey)
	}
	if b = bytes.TrimSpace(b); len(b) < minKey {
		return nil, fmt.Errorf("the KeyFile %s has %d bytes, at least %d are needed", path, len(b), minKey)
	}
	return b, nil
}
