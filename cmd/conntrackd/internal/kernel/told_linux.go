package kernel

import (
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// told returns what the configuration has peers told of an entry: window scales with
// TCPWindowTracking, and no timeout where CommitTimeout is set, which takes its place.
// The sink's lock is held.
func (t *Table) told() wire.Options { return toldBy(t.config) }

func toldBy(c *config.Config) (opt wire.Options) {
	if c.TCPWindowTracking {
		opt |= wire.WindowTracking
	}
	if c.CommitTimeout > 0 {
		opt |= wire.NoTimeout
	}
	return opt
}
