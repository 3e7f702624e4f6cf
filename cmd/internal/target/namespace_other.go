//go:build !linux

package target

import (
	"errors"
	"fmt"
	"io"
)

// openNamespace fails: only Linux has network namespaces.
func openNamespace(spec string) (*Table, error) {
	return nil, fmt.Errorf("network namespace `%s': this system has no network namespaces", escape(spec))
}

func allNamespaces(io.Writer) ([]*Table, error) {
	return nil, errors.New("this system has no network namespaces")
}
