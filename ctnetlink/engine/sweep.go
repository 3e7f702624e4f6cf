package engine

import (
	"cmp"
	"slices"
)

// wheel finds the entries whose timeouts have passed. Each entry of the table is
// in the list of a time, not later than its deadline: a packet that moves the
// deadline on leaves it there, and when that time comes it moves to another
// list. So an entry is looked at at most once in wheelLen times, and no request
// or packet looks at all of them.
type wheel struct {
	lists [wheelLen]uint32 // the first entry of the list of a time, by time modulo wheelLen: its slot + 1; 0: none
	at    tick             // lists of earlier times are empty
	next  tick             // no entry need be looked for before this
	ended []slot           // buffer
}

const (
	wheelLen = 2048
	// wheelShift: a list is for 1 << wheelShift ticks, which is 256 ms.
	wheelShift = 6
	// exactLen is the number of entries in the list of the current time up to
	// which they are removed as soon as they end. Of a longer list they may be
	// removed when its time is over.
	exactLen = 64
)

// file puts an entry into the list of its deadline.
func (t *Table) file(e *entry) {
	w := &t.ends
	if w.at == 0 {
		w.at = t.now >> wheelShift
	}
	at := min(max(e.deadline>>wheelShift, w.at), w.at+wheelLen-1)
	list := uint64(at) % wheelLen // the time may be before 1970
	e.filed = uint16(list) + 1
	first := &w.lists[list]
	if e.later, e.earlier = *first, 0; *first != 0 {
		t.slabs.at(slot(*first - 1)).earlier = uint32(e.slot) + 1
	}
	*first = uint32(e.slot) + 1
	w.next = min(w.next, max(e.deadline, at<<wheelShift))
}

// unfile takes an entry out of its list, if it is in one.
func (t *Table) unfile(e *entry) {
	if e.filed == 0 {
		return
	}
	if e.later != 0 {
		t.slabs.at(slot(e.later - 1)).earlier = e.earlier
	}
	if e.earlier != 0 {
		t.slabs.at(slot(e.earlier - 1)).later = e.later
	} else {
		t.ends.lists[e.filed-1] = e.later
	}
	e.filed = 0
}

// setDeadline sets when an entry ends.
func (t *Table) setDeadline(e *entry, deadline tick) {
	sooner := deadline < e.deadline
	e.deadline = deadline
	if sooner && e.filed != 0 {
		t.unfile(e)
		t.file(e)
	}
}

// Expire removes the entries and expectations whose timeouts have passed and
// sends their DESTROY events, in the order in which they ended. Requests and
// packets do this too, in a large table up to 256 ms late; Expire is for a table
// that receives none.
func (t *Table) Expire() {
	t.lock()
	defer t.unlock()
	t.ends.next = t.now
	t.expire()
}

// expire is Expire as it is done before a request or a packet.
func (t *Table) expire() {
	t.expireExpectations()
	if t.gcDue != 0 && t.now >= t.gcDue {
		t.collect()
	}
	if t.now < t.ends.next && t.now>>wheelShift >= t.ends.at {
		return
	}
	w := &t.ends
	from, current := w.at, t.now>>wheelShift
	w.at, w.next, w.ended = current, (current+1)<<wheelShift, w.ended[:0]
	if current < from || current-from >= wheelLen {
		from = current - wheelLen + 1 // the clock was set back, or everything is due to be looked at
	}
	left := 0
	for at := from; at <= current; at++ {
		first := w.lists[uint64(at)%wheelLen]
		w.lists[uint64(at)%wheelLen] = 0
		for first != 0 {
			e := t.slabs.at(slot(first - 1))
			first, e.filed = e.later, 0
			if e.expired(t.now) {
				w.ended = append(w.ended, e.slot)
				continue
			}
			t.file(e)
			if e.deadline>>wheelShift <= current {
				left++
			}
		}
	}
	if left > exactLen {
		w.next = (current + 1) << wheelShift
	}
	slices.SortFunc(w.ended, func(a, b slot) int {
		if d := cmp.Compare(t.slabs.at(a).deadline, t.slabs.at(b).deadline); d != 0 {
			return d
		}
		return cmp.Compare(a, b)
	})
	for _, s := range w.ended {
		if e := t.slabs.at(s); e.has&alive != 0 { // a call of PPTP ends with its control connection
			t.remove(e, 0, nil)
		}
	}
}
