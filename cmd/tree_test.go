package cmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// treeNames are the names in the tree that is built for a command.
func (p *program) treeNames(name string) []string {
	var names []string
	for _, c := range p.newTree(name).Commands() {
		names = append(names, c.Name())
	}
	return names
}

// A command that is named is built alone; what looks at the others has them
// all.
func TestTreeNames(t *testing.T) {
	p := &program{Streams: console.Discard()}
	for _, name := range commandNames {
		if strings.HasPrefix(name, "_") {
			continue // a request of a shell's script
		}
		got := p.treeNames(name)
		if !slices.Contains(wholeTree, name) {
			if !slices.Equal(got, []string{name}) {
				t.Errorf("%s builds %q", name, got)
			}
			continue
		}
		for _, other := range commandNames {
			if !strings.HasPrefix(other, "_") && !slices.Contains(got, other) {
				t.Errorf("%s does not build %s", name, other)
			}
		}
	}
}
