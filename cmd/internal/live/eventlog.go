package live

import (
	"bytes"
	"slices"
	"sync"
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
// oldest first, and the serial of the last event that there was. Only the latest
// Options.Events are kept.
func (t *Table) EventsSince(after uint64, n int, m *filter.Filter) (events []Event, last uint64) {
	return t.feed.log.since(after, n, m)
}

// eventLog keeps the messages of the latest events in a ring of bytes. They are
// decoded when somebody asks.
type eventLog struct {
	mu     sync.Mutex
	keep   uint64 // how many events
	ring   []byte
	write  int          // where the next block is put
	blocks []eventBlock // the oldest first; no two share bytes of the ring
	last   uint64       // the serial of the last event
}

// eventBlock is a piece of the ring with the messages of events.
type eventBlock struct {
	off, len int
	first    uint64 // the serial of its first event
	events   uint64
	source   int
	time     time.Time // when they were received
}

// end returns the serial of the last event in b.
func (b *eventBlock) end() uint64 { return b.first + b.events - 1 }

const (
	defaultEvents = 10000
	// bytesPerEvent is as much as most events need; a message has 150 to 300 bytes.
	bytesPerEvent = 320
	// The ring begins with leastRing bytes, and grows up to bytesPerEvent for each
	// event that is kept, at least to mostBlock.
	leastRing = 64 << 10
	mostBlock = 512 << 10
)

// init sets how many events are kept, 0 for the default.
func (l *eventLog) init(keep int) {
	if keep <= 0 {
		keep = defaultEvents
	}
	l.keep = uint64(keep)
}

// add appends the messages of n events.
func (l *eventLog) add(source int, now time.Time, messages []byte, n int) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := eventBlock{len: len(messages), first: l.last + 1, events: uint64(n), source: source, time: now}
	l.last = b.end()
	for len(l.blocks) > 0 && l.blocks[0].end()+l.keep <= l.last {
		l.drop()
	}
	if !l.place(&b) {
		return // larger than the ring may be: no batch of a listener is
	}
	copy(l.ring[b.off:], messages)
	l.write = b.off + b.len
	l.blocks = append(l.blocks, b)
}

// drop gives up the oldest block.
func (l *eventLog) drop() { l.blocks = l.blocks[1:] }

// place finds room for a block. It drops older ones, or enlarges the ring as long as
// events would be lost that are to be kept.
func (l *eventLog) place(b *eventBlock) bool {
	limit := max(int(l.keep)*bytesPerEvent, mostBlock)
	if b.len > limit {
		l.blocks, l.write = nil, 0
		return false
	}
	for {
		if off, ok := l.room(b.len); ok {
			b.off = off
			return true
		}
		if len(l.ring) < limit {
			l.enlarge(min(max(2*len(l.ring), leastRing), limit))
		} else {
			l.drop()
		}
	}
}

// room returns where n bytes are free.
func (l *eventLog) room(n int) (off int, ok bool) {
	if len(l.blocks) == 0 {
		return 0, n <= len(l.ring)
	}
	oldest := l.blocks[0].off
	switch {
	case l.write <= oldest: // the newest lie before the oldest
		return l.write, n <= oldest-l.write
	case n <= len(l.ring)-l.write:
		return l.write, true
	}
	return 0, n <= oldest
}

// enlarge moves all blocks to a ring of another size.
func (l *eventLog) enlarge(size int) {
	ring := make([]byte, size)
	l.write = 0
	for i := range l.blocks {
		b := &l.blocks[i]
		copy(ring[l.write:], l.ring[b.off:b.off+b.len])
		b.off = l.write
		l.write += b.len
	}
	l.ring = ring
}

// copied is a block outside of the ring.
type copied struct {
	eventBlock
	messages []byte
}

// copySince copies the blocks that have events above a serial, the newest first; if
// most is not 0, as few as have that many events. Copies are decoded without the lock,
// so that events do not wait for that.
func (l *eventLog) copySince(after uint64, most int) (blocks []copied, low, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	low = max(after, l.last-min(l.last, l.keep))
	first, size := len(l.blocks), 0
	for first > 0 && l.blocks[first-1].end() > low {
		first--
		size += l.blocks[first].len
		if most > 0 && l.last-l.blocks[first].first+1 >= uint64(most) {
			break
		}
	}
	copies := make([]byte, 0, size)
	for i := len(l.blocks) - 1; i >= first; i-- {
		b := l.blocks[i]
		copies = append(copies, l.ring[b.off:b.off+b.len]...)
		blocks = append(blocks, copied{b, copies[len(copies)-b.len:]})
	}
	return blocks, low, l.last
}

// since implements Table.EventsSince.
func (l *eventLog) since(after uint64, n int, m *filter.Filter) (found []Event, last uint64) {
	most := 0
	if m == nil {
		most = max(n, 1)
	}
	blocks, low, last := l.copySince(after, most)
	type match struct {
		serial  uint64
		message []byte
	}
	var matches []match
	var walk ctnetlink.Events
	for _, b := range blocks {
		if len(found) >= n {
			break
		}
		matches = matches[:0]
		serial := b.first - 1
		for walk.Reset(ctnetlink.EventBatch{Messages: b.messages}); walk.Next(); {
			if walk.Expectation {
				continue
			}
			if serial++; serial > low && (m == nil || m.Match(walk.Flow())) {
				matches = append(matches, match{serial, walk.Flow().Message()})
			}
		}
		// The newest of the block first, as the blocks are.
		for i := len(matches) - 1; i >= 0 && len(found) < n; i-- {
			found = append(found, b.event(matches[i].serial, matches[i].message))
		}
	}
	slices.Reverse(found)
	return found, last
}

// event returns an event of b.
func (b *eventBlock) event(serial uint64, message []byte) Event {
	f := new(ctnetlink.Flow)
	_ = f.Decode(bytes.Clone(message)) // it was decoded before
	e := Event{Serial: serial, Time: b.time, Source: b.source, Type: f.EventType(), Flow: f, PortID: f.PortID()}
	if at, ok := f.EventTime(); ok {
		e.Time = at
	}
	return e
}
