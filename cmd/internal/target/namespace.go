package target

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// CurrentNetNS is the name of the network namespace in which the program runs.
// No namespace of ip-netns(8) can have it.
const CurrentNetNS = "."

// netnsDirs are the directories where ip-netns(8) keeps the names of namespaces.
var netnsDirs = []string{"/run/netns", "/var/run/netns"}

// NetNSNames returns the names of network namespaces, each once.
func NetNSNames() []string {
	var names []string
	for _, dir := range netnsDirs {
		entries, _ := os.ReadDir(dir) // no such directory: no names
		for _, e := range entries {
			if !slices.Contains(names, e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	return names
}

// NameError names the table's network namespace in an error that does not name one
// yet.
func (t *Table) NameError(err error) error {
	var named *namedError
	if err == nil || t.Name == "" || errors.Is(err, console.ErrQuiet) || errors.As(err, &named) {
		return err
	}
	return &namedError{t.Name, err}
}

// namedError is an error in a network namespace.
type namedError struct {
	name string
	err  error
}

func (e *namedError) Unwrap() error { return e.err }

func (e *namedError) Error() string {
	return fmt.Sprintf("network namespace `%s': %s", e.name, e.err)
}
