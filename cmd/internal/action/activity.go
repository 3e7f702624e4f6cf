package action

import (
	"encoding/binary"
	"hash/maphash"
	"iter"
	"math"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// activity is what was seen of entries in a first look at the tables, to find in a
// second one which of them have got packets since: --growing and --idle. An entry
// takes 24 bytes, and its share of a map.
type activity struct {
	growing bool // those that have are meant, else those that have not
	least   time.Duration
	begun   time.Time
	seen    map[uint64]sighting
	seed    maphash.Seed
	key     []byte
	// unjudged is how many entries do not show whether packets arrive.
	unjudged int
}

// sighting is what was seen of an entry.
type sighting struct {
	packets uint64 // in both directions, or noPackets
	at      uint32 // milliseconds since the first look began
	timeout uint32 // seconds left, or noTimeout
}

const (
	noPackets = math.MaxUint64
	noTimeout = math.MaxUint32
)

// verdict is whether packets have arrived for an entry.
type verdict uint8

const (
	unknown verdict = iota // it does not show that
	unseen                 // it was not there at the first look
	idle
	growing
)

// Timeouts are sent in whole seconds. That of an entry without packets differs by
// less than a second from what it should be, but for the time that entries are
// under way in the dumps.
const (
	timeoutSlack = 1200 * time.Millisecond
	// timeoutLeast is the shortest time after which timeouts are compared.
	timeoutLeast = 3 * time.Second
)

// compare takes the first look at the entries that a request selects, and waits.
// It returns an environment in which matching streams those of them that are meant.
func compare(e *Env, r *cmdline.Request) (*Env, error) {
	for _, t := range e.Tables {
		if t.File != nil {
			return nil, cmdline.Usagef("--growing and --idle cannot be used with a table file: it receives no packets")
		}
	}
	a := &activity{growing: r.Has(cmdline.OptGrowing), least: r.Compare, begun: time.Now(),
		seen: map[uint64]sighting{}, seed: maphash.MakeSeed()}
	var context format.Context
	for f, err := range matching(e, r, &context) {
		if err != nil {
			return nil, refused(r, err)
		}
		a.seen[a.hash(context.NetNS, f)] = a.sight(f)
	}
	task := console.Task{Verb: "waiting", Unit: "seconds", Total: int(r.Compare / time.Second)}
	for range console.Track(e.Streams, task, passing(r.Compare)) {
	}
	second := *e
	second.Activity = a
	return &second, nil
}

// passing yields after each second until a time has passed.
func passing(d time.Duration) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		for end := time.Now().Add(d); ; {
			left := time.Until(end)
			if left <= 0 {
				return
			}
			time.Sleep(min(left, time.Second))
			if !yield(struct{}{}) {
				return
			}
		}
	}
}

// hash returns a number for the identity of an entry: network namespace, id, zone
// and both tuples. Two of a million entries have the same with a probability of
// 1 in 30 million.
func (a *activity) hash(netns string, f *ctnetlink.Flow) uint64 {
	b := append(append(a.key[:0], netns...), 0)
	id, _ := f.ID()
	b = binary.NativeEndian.AppendUint32(b, id)
	for _, attr := range []ctnetlink.Attr{ctnetlink.AttrZone, ctnetlink.AttrTupleOrig, ctnetlink.AttrTupleReply} {
		raw, _ := f.Raw(attr)
		b = append(b, raw...)
	}
	a.key = b
	return maphash.Bytes(a.seed, b)
}

func (a *activity) sight(f *ctnetlink.Flow) sighting {
	s := sighting{packets: noPackets, timeout: noTimeout, at: uint32(time.Since(a.begun).Milliseconds())}
	if packets, _, counted := counters(f); counted {
		s.packets = packets
	}
	if timeout, ok := f.Timeout(); ok {
		s.timeout = uint32(timeout / time.Second)
	}
	return s
}

// judge returns whether packets have arrived for an entry since the first look.
// Counters show it. Without them a timeout does that is not as much shorter as
// time has passed: each packet sets it again.
func (a *activity) judge(netns string, f *ctnetlink.Flow) verdict {
	before, ok := a.seen[a.hash(netns, f)]
	if !ok {
		return unseen
	}
	now := a.sight(f)
	status, _ := f.Status()
	switch {
	case before.packets != noPackets && now.packets != noPackets:
		switch {
		case now.packets > before.packets, now.packets < before.packets && now.packets > 0: // they were set to 0
			return growing
		case status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0:
			return unknown // flow tables may not count
		}
		return idle
	case before.timeout == noTimeout || now.timeout == noTimeout || a.least < timeoutLeast ||
		status&(ctnetlink.StatusFixedTimeout|ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0:
		return unknown
	}
	passed := time.Duration(now.at-before.at) * time.Millisecond
	later := time.Duration(int64(now.timeout)-int64(before.timeout))*time.Second + passed
	if later.Abs() > timeoutSlack {
		return growing
	}
	return idle
}

// chosen reports whether an entry is one of those that are meant.
func (a *activity) chosen(v verdict) bool {
	return a.growing && v == growing || !a.growing && v == idle
}

// still reports whether an entry that is read again is still one of those that are
// meant. Without a comparison every entry is.
func (a *activity) still(netns string, f *ctnetlink.Flow) bool {
	return a == nil || a.chosen(a.judge(netns, f))
}

// judged streams the entries that are meant, and then reports how many could not
// be judged.
func (a *activity) judged(e *Env, entries flowSeq, c *format.Context) flowSeq {
	return func(yield func(*ctnetlink.Flow, error) bool) {
		for f, err := range entries {
			if err != nil {
				yield(nil, err)
				return
			}
			v := a.judge(c.NetNS, f)
			if v == unknown {
				a.unjudged++
			}
			if a.chosen(v) && !yield(f, nil) {
				return
			}
		}
		if a.unjudged > 0 {
			e.say("%d flow entries were not judged: without counters (net.netfilter.nf_conntrack_acct) that takes "+
				"at least %d seconds, and a timeout that packets set again.", a.unjudged, timeoutLeast/time.Second)
			a.unjudged = 0
		}
	}
}
