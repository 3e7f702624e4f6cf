package kernel

import (
	"hash/maphash"
	"maps"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// To make the events of a commit costs the kernel twice as much as the entries
// themselves. So a large commit is hushed: the socket leaves the groups of new and
// changed entries meanwhile, and a dump afterwards finds what was committed, and what
// traffic has made and changed. Ends are announced all the time.

var hushedGroups = [...]ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate}

const (
	// minHushed is the least number of entries of a commit that is hushed. The dump
	// afterwards reads the whole table, so that this must not be much larger.
	minHushed   = 1000
	hushedShare = 3
	minWritten  = 512 // requests, before it is hushed
	// maxHush bounds how long the groups are left: entries that traffic makes meanwhile are
	// not known to the peers.
	maxHush = 2 * time.Second
	// hushDelay is the time in which another dump may come, as scripts ask for one after
	// a commit.
	hushDelay = 300 * time.Millisecond
)

// hushed is what was committed while the groups were left, until the next dump: a set of
// hashes of keys.
type hushed map[uint64]bool

var hushSeed = maphash.MakeSeed()

func (h hushed) add(k *wire.Key) { h[maphash.Comparable(hushSeed, *k)] = true }

// missed reports whether what a dump found has come, or has changed, by others than the
// commit: peers are to be told.
func (h hushed) missed(k *wire.Key, before, now wire.Object) bool {
	switch {
	case h == nil, h[maphash.Comparable(hushSeed, *k)]:
		return false
	case before == nil:
		return true
	}
	return !before.SameButTimeout(now)
}

// hush is a commit that is hushed, or may be: once it has written enough.
type hush struct {
	t         *Table
	total     int
	written   int
	decided   bool // whether it is
	silent    bool // it is, and the groups have not been joined again
	hushed    bool
	began     time.Time
	committed hushed
}

// hushable begins a commit of some n entries. It returns nil if that is never hushed.
func (t *Table) hushable(n int) *hush {
	if t.listener == nil || t.config.EventsReliable || t.config.DisableInternalCache || n < minHushed {
		return nil
	}
	return &hush{t: t, total: n, committed: hushed{}}
}

// write is called before each request that changes the table: what needs few is not worth
// a dump.
func (h *hush) write() {
	if h == nil || h.decided {
		return
	}
	if h.written++; h.written > minWritten {
		h.decided = true
		h.begin()
	}
}

// begin leaves the groups.
func (h *hush) begin() {
	t := h.t
	if entries, _, err := t.commits.conn.Count(); err != nil || int(entries) > hushedShare*h.total {
		return
	}
	for i, g := range hushedGroups {
		if t.listener.Leave(g) != nil {
			for _, g := range hushedGroups[:i] {
				_ = t.listener.Join(g)
			}
			return
		}
	}
	h.hushed, h.silent, h.began = true, true, time.Now()
}

// note notes an entry that was committed, and ends the silence when it lasts too long.
func (h *hush) note(o wire.Object) {
	if h == nil || h.decided && !h.hushed {
		return
	}
	key := o.Key()
	h.committed.add(&key)
	if h.silent && len(h.committed)%1024 == 0 && time.Since(h.began) > maxHush {
		h.join()
	}
}

// join joins the groups again.
func (h *hush) join() {
	if !h.silent {
		return
	}
	h.silent = false
	for _, g := range hushedGroups {
		if err := h.t.listener.Join(g); err != nil && h.t.closing.Err() == nil {
			h.t.log(config.Error, "can't open netlink handler: %v", cause(err))
		}
	}
}

// end ends the silence, and has the table dumped soon.
func (h *hush) end() {
	if h == nil || !h.hushed {
		return
	}
	h.join()
	t := h.t
	t.order.Lock()
	defer t.order.Unlock()
	maps.Copy(h.committed, t.hushed) // of another commit, after which there was no dump yet
	t.hushed = h.committed
	t.running.Go(func() {
		if !wait(t.closing, hushDelay) {
			return
		}
		t.order.Lock()
		owed := t.hushed != nil
		t.order.Unlock()
		if !owed {
			return
		}
		if err := t.Dump(t.closing, true); err != nil && t.closing.Err() == nil {
			t.log(config.Error, "can't read the table: %v", cause(err))
		}
	})
}
