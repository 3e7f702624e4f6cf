//go:build !linux

package target

import (
	"errors"
	"fmt"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// openNamespace fails: only Linux has network namespaces.
func openNamespace(spec string) (*Table, error) {
	return nil, fmt.Errorf("network namespace `%s': this system has no network namespaces", spec)
}

func allNamespaces(*console.Messages) ([]*Table, error) {
	return nil, errors.New("this system has no network namespaces")
}
