package format

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// The netlink style is a table file (package snapshot describes its layout):
// AppendHeader and AppendFooter are a part of it and may not be left out, not
// even where there is no entry. Its end counts the bytes before it, so that one
// Printer makes one file, from one goroutine, and everything it appends is to
// be written.
//
// An entry is taken as the table answered with it, whatever else is chosen: its
// kind and flags become those of a dump. It must be an entry: what an event
// tells has not all of its attributes.

// newSnapshot returns what a Printer of the netlink style keeps.
func newSnapshot(s Style) *snapshot.Writer {
	if s != StyleNetlink {
		return nil
	}
	return new(snapshot.Writer)
}

// netlinkHeader begins a file. The timeouts count from now: those of a long
// dump are read later, and so end early by no more than the dump took.
func (p *Printer) netlinkHeader(b []byte) []byte {
	now := time.Now()
	return p.snapshot.AppendHeader(b, snapshot.Header{Time: now, Serial: uint64(now.UnixNano())})
}
