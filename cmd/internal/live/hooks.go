package live

import "github.com/gonntrack/gonntrack/ctnetlink"

// ended is called for each entry that will no longer be kept, before its record is
// freed. f is the message that told of its end, nil if none did. t.mu is held for
// writing.
func (t *Table) ended(e *entry, f *ctnetlink.Flow, why ending) {
	if len(t.watches) > 0 {
		t.watchedEnd(e, f, why)
	}
}
