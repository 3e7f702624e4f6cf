package format

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// StyleNetlink writes a table file (package snapshot describes its layout).
// AppendHeader and AppendFooter are part of it even if there is no entry. The end
// of the file has the checksum of everything before it, so one Printer writes one
// file, from one goroutine, and all bytes that it appends must be written.
//
// The messages are those that the kernel sent, with type and flags as in a dump.
// They must be entries: events lack attributes.

// newSnapshot returns the writer of StyleNetlink, nil for other styles.
func newSnapshot(s Style) *snapshot.Writer {
	if s != StyleNetlink {
		return nil
	}
	return new(snapshot.Writer)
}

// netlinkHeader appends the header of a file. Its clock is stopped: the table is as it
// was now. In a long dump the timeouts are read later.
func (p *Printer) netlinkHeader(b []byte) []byte {
	now := time.Now()
	h := snapshot.Header{Time: now, Serial: uint64(now.UnixNano()), Stopped: true}
	if p.o.Clock != nil {
		h.Time = p.o.Clock()
	}
	return p.snapshot.AppendHeader(b, h)
}
