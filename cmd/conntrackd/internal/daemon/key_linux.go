package daemon

import (
	"bytes"
	"fmt"
	"os"
)

// minKey is how many bytes a key has at least.
const minKey = 16

// readKey reads the key of the links, nil if path is empty. Blanks around it do not
// belong to it.
func readKey(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("can't open key file `%s': %s", path, reason(err))
	}
	key := bytes.TrimSpace(text)
	if len(key) < minKey {
		return nil, fmt.Errorf("the key in `%s' is too short: it needs %d bytes at least", path, minKey)
	}
	return key, nil
}
