//go:build !linux

package cmd

// openNamespace fails: network namespaces are Linux's.
func openNamespace(spec string) (*namespace, error) {
	return nil, failuref("network namespace `%s': this system has no network namespaces", spec)
}

func (p *program) allNamespaces() ([]*namespace, error) {
	return nil, failuref("this system has no network namespaces")
}

func etcIn(_, path string) string { return path }
