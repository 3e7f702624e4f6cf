package kernel

import "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"

// told returns what the configuration has peers told of an entry: window scales with
// TCPWindowTracking, and no timeout where CommitTimeout is set, which takes its place.
func (t *Table) told() (opt wire.Options) {
	if t.config.TCPWindowTracking {
		opt |= wire.WindowTracking
	}
	if t.config.CommitTimeout > 0 {
		opt |= wire.NoTimeout
	}
	return opt
}
