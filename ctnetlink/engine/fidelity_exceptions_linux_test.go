package engine_test

import "sync/atomic"

// explanation is a known difference between the engine and the kernel.
type explanation struct {
	name, why string
	// is reports whether a difference at the last of the moves is this one.
	is func(s *scenario, moves []move, d *gap) bool
	n  atomic.Int64
}

// differencesExplained are all known differences. A scenario ends where one
// occurs.
var differencesExplained = []*explanation{}

// explained reports whether a difference is a known one, and counts it.
func explained(s *scenario, moves []move, d *gap) bool {
	for _, e := range differencesExplained {
		if e.is(s, moves, d) {
			e.n.Add(1)
			return true
		}
	}
	return false
}
