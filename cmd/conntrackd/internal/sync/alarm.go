package sync

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// alarmBuckets is into how many parts RefreshTime is divided at most. Each is a queue of
// the internal caches.
const (
	alarmBuckets = 128
	alarmFirst   = 64         // the identity of the first of these queues
	alarmTold    = queueAlarm // of the queue of the external caches
)

// alarm is the mode ALARM: each entry is sent again and again, and forgotten by peers
// that have not heard of it for CacheTimeout.
type alarm struct {
	n       *Node
	conns   wheel
	expects wheel
	refresh time.Duration // for how long an entry waits at most
	step    time.Duration // how long a bucket lasts
	turned  time.Time     // when the wheels were turned last
	sentAt  time.Time     // when a part of the bucket was sent last
}

// wheel is the times at which the entries of a table are sent again: those of a bucket
// are spread over its step.
type wheel struct {
	t       *table
	buckets []cache.Queue
	at      int // the bucket whose entries are due
	strays  cache.Slot
	told    cache.Queue // of the external cache: by when an entry was told last
}

func newAlarm(n *Node) *alarm {
	a := &alarm{n: n}
	a.conns.t, a.expects.t = &n.conns, &n.expects
	a.conns.told.ID, a.expects.told.ID = alarmTold, alarmTold
	a.divide()
	return a
}

// divide divides RefreshTime into buckets, which may have been others before. What was in
// those is found by the walk for strays.
func (a *alarm) divide() {
	a.refresh = a.n.c.RefreshTime
	refresh := max(a.refresh, time.Second)
	count := int(min(max(refresh/time.Second, 1), alarmBuckets-1)) + 1
	a.step, a.turned = refresh/time.Duration(count-1), a.n.now
	for _, w := range []*wheel{&a.conns, &a.expects} {
		for i := range w.buckets {
			for q := &w.buckets[i]; q.First != 0; {
				w.t.c.Remove(q, q.First)
			}
		}
		w.at, w.buckets = 0, make([]cache.Queue, count)
		for i := range w.buckets {
			w.buckets[i].ID = uint8(alarmFirst + i)
		}
	}
}

func (a *alarm) wheel(t *table) *wheel {
	if t.expect {
		return &a.expects
	}
	return &a.conns
}

func (a *alarm) flags() wire.Flags { return 0 }
func (a *alarm) room() int         { return math.MaxInt32 }

// sent has an entry wait for a random time until it is sent again. One that has ended is
// told once.
func (a *alarm) sent(t *table, s cache.Slot) {
	if t.c.Meta(s).Flags&cache.Dead != 0 {
		t.done(s)
		return
	}
	a.wait(a.wheel(t), s)
}

// wait puts an entry into a random bucket, but for the one that is being emptied.
func (a *alarm) wait(w *wheel, s cache.Slot) {
	i := (w.at + 1 + rand.IntN(len(w.buckets)-1)) % len(w.buckets)
	w.t.c.Push(&w.buckets[i], s)
}

func (a *alarm) sentControl(h *wire.Header, payload []byte) {}

// take takes what has not come already.
func (a *alarm) take(p *peer, h *wire.Header) bool {
	where, _ := p.own.seen.add(h.Seq)
	p.own.late = where == late || where == foreign
	return where != double
}

// control is for no message: all of them have flags, and are ignored.
func (a *alarm) control(p *peer, h *wire.Header) bool { return true }

// tick sends again what is due and forgets what was not told for CacheTimeout.
func (a *alarm) tick() time.Time {
	if a.refresh != a.n.c.RefreshTime { // the configuration was read again
		a.divide()
	}
	next := a.turned.Add(a.step)
	for !a.n.now.Before(next) {
		for _, w := range []*wheel{&a.conns, &a.expects} {
			for q := &w.buckets[w.at]; q.First != 0; {
				a.n.queue(w.t, q.First)
			}
			w.at = (w.at + 1) % len(w.buckets)
		}
		a.turned = next
		next = next.Add(a.step)
		if late := a.n.now.Sub(next); late > a.step*time.Duration(len(a.conns.buckets)) {
			a.turned, next = a.n.now, a.n.now.Add(a.step) // the clock has jumped
		}
	}
	spread := a.spread()
	if due := a.sentAt.Add(spread); a.n.now.Before(due) {
		return earliest(next, due)
	}
	a.sentAt = a.n.now
	for _, w := range []*wheel{&a.conns, &a.expects} {
		a.due(w, next)
		w.strays = w.t.c.Walk(max(w.strays, 1), 4096, func(s cache.Slot) {
			if m := w.t.c.Meta(s); m.Queue == 0 && m.Flags&cache.Dead == 0 {
				a.wait(w, s)
			}
		})
	}
	a.forget(a.n.External, &a.conns.told)
	a.forget(a.n.ExternalExpect, &a.expects.told)
	return earliest(next, a.n.now.Add(spread))
}

// spread is how long the entries of a bucket wait for each other.
func (a *alarm) spread() time.Duration { return min(a.step, 100*time.Millisecond) }

// due sends the part of the bucket's entries that the time which has passed of its step
// asks for.
func (a *alarm) due(w *wheel, end time.Time) {
	q := &w.buckets[w.at]
	rounds := int(max(end.Sub(a.n.now), 0)/a.spread()) + 1
	for k := (q.Len + rounds - 1) / rounds; k > 0 && q.First != 0; k-- {
		a.n.queue(w.t, q.First)
	}
}

// told notes that a peer has told of an entry.
func (a *alarm) told(c *cache.Cache, s cache.Slot) {
	if c == a.n.External {
		c.Push(&a.conns.told, s)
	} else {
		c.Push(&a.expects.told, s)
	}
}

// forget removes the entries of an external cache that were not told for CacheTimeout.
func (a *alarm) forget(c *cache.Cache, q *cache.Queue) {
	now, keep := a.n.clock(a.n.now), uint32(a.n.c.CacheTimeout/time.Second)
	for i := 0; i < maxPump && q.First != 0; i++ {
		if now-c.Meta(q.First).Told < keep {
			return
		}
		c.Delete(q.First)
	}
}

func (a *alarm) joined(p *peer)   {}
func (a *alarm) cleared(t *table) {}

// Expires returns when an entry of an external cache is forgotten in the mode ALARM,
// otherwise the zero time.
func (n *Node) Expires(m *cache.Meta) time.Time {
	if _, ok := n.mode.(*alarm); !ok {
		return time.Time{}
	}
	return n.start.Add(time.Duration(m.Told-1)*time.Second + n.c.CacheTimeout)
}
