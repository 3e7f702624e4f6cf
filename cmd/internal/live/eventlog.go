package live

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// Event is something that happened to an entry.
type Event struct {
	// Serial numbers the events from 1.
	Serial uint64
	Time   time.Time
	Source int
	Type   ctnetlink.EventType
	Flow   *ctnetlink.Flow
	PortID uint32 // of the process that caused it, 0: none did
}

// EventsSince returns the latest n events with a serial above after that match, the
// oldest first, and the serial of the last event that there was.
func (t *Table) EventsSince(after uint64, n int, m *filter.Filter) (events []Event, last uint64) {
	return nil, 0
}
