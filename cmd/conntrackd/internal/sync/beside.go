package sync

import (
	"bytes"
	"hash/maphash"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// beside is what events have told while a dump of the kernel's table is sent instead of
// a cache. The dump may be older than they are: of an entry that has ended it tells
// nothing any more, of one that has changed it tells the change as well.
type beside struct {
	seed    maphash.Seed
	changes map[uint64]change // by the hash of a key
	crowded bool              // there were more than maxBeside
}

// change is what events have told of an entry.
type change struct {
	o     wire.Object // nil: it has ended
	whole bool        // o is all of the entry
}

// maxBeside bounds the changes, which take some 200 bytes each. A bulk beside which there
// are more has no end, and another one follows.
const maxBeside = 1 << 17

func (s *beside) begin() { *s = beside{seed: maphash.MakeSeed(), changes: map[uint64]change{}} }

func (s *beside) end() { s.changes = nil }

func (s *beside) hash(o wire.Object) uint64 { return maphash.Comparable(s.seed, o.Key()) }

// note takes an event.
func (s *beside) note(t wire.Type, o wire.Object) {
	if s.changes == nil || s.crowded {
		return
	}
	key := s.hash(o)
	was, known := s.changes[key]
	if !known && len(s.changes) >= maxBeside {
		s.crowded = true
		clear(s.changes)
		return
	}
	switch t {
	case wire.Delete, wire.ExpectDelete:
		s.changes[key] = change{}
	case wire.New, wire.ExpectNew:
		if known {
			s.changes[key] = change{bytes.Clone(o), true}
		}
	default:
		if merged, err := wire.Merge(nil, t, was.o, o); err == nil {
			s.changes[key] = change{merged, was.whole}
		}
	}
}

// present returns what an object of the dump is now, nil if the entry has ended.
func (s *beside) present(t wire.Type, o wire.Object) wire.Object {
	key := s.hash(o)
	now, known := s.changes[key]
	switch {
	case !known:
		return o
	case now.o == nil || now.whole:
		return now.o
	}
	merged, err := wire.Merge(nil, t, o, now.o)
	if err != nil {
		return now.o
	}
	return merged
}

// Dumped takes an entry of the dump that Source was asked for, between BeginRefresh and
// EndRefresh.
func (n *Node) Dumped(t wire.Type, o wire.Object) {
	n.now = n.o.Now()
	tb := n.table(t)
	if tb == nil || len(o) == 0 || !n.dumping() || tb.expect && !n.wanted(o) {
		return
	}
	if o = n.beside.present(t, o); o != nil {
		n.bypassDump(o, t)
	}
}

// dumping reports whether a dump that Source was asked for is being sent.
func (n *Node) dumping() bool { return n.c.DisableInternalCache && n.refreshing && !n.tell }
