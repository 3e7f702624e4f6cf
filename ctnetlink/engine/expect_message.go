package engine

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// expectHead holds the header fields of an expectation's message, except for
// the family.
type expectHead struct {
	msg    uint16
	flags  uint16
	seq    uint32
	portID uint32
}

// putExpect appends the message of an expectation, the same in dumps, answers
// and events (ctnetlink_exp_fill_info).
func (t *Table) putExpect(w *wire.Builder, e *expectation, head expectHead) {
	t.beginExpect(w, e, head)
	w.End()
}

// beginExpect is putExpect without ending the message.
func (t *Table) beginExpect(w *wire.Builder, e *expectation, head expectHead) {
	w.Begin(wire.SubsysExpect<<8|head.msg, head.flags, head.seq, head.portID, uint8(e.tuple.family), 0, 0)
	e.tuple.put(w, wire.ExpectTuple, 0)
	mask := e.maskTuple()
	mask.put(w, wire.ExpectMask, 0)
	e.master.tuples[original].put(w, wire.ExpectMaster, 0)
	if e.nat.addr != [16]byte{} || e.nat.port != 0 {
		mark := w.Nest(wire.ExpectNAT)
		w.U32(wire.ExpectNATDir, e.nat.dir)
		to := tuple{src: e.nat.addr, sport: e.nat.port, family: e.master.family(), proto: e.master.protocol()}
		to.put(w, wire.ExpectNATTuple, 0)
		w.Close(mark)
	}
	w.U32(wire.ExpectTimeout, uint32(max(e.ends-t.now, 0)/ticksPerSecond))
	w.U32(wire.ExpectID, e.id)
	w.U32(wire.ExpectFlags, e.flags)
	w.U32(wire.ExpectClass, e.class)
	if h := t.helper(e.master); h != nil {
		w.Str(wire.ExpectHelpName, h.name)
	}
	if e.fn != "" {
		w.Str(wire.ExpectFn, e.fn)
	}
}

// maskTuple returns the mask in the form that the kernel sends: all bits of the
// destination are set.
func (e *expectation) maskTuple() tuple {
	m := tuple{src: e.mask.src, sport: e.mask.port, dport: 0xffff, family: e.tuple.family, proto: e.tuple.proto}
	for i := range m.dst {
		m.dst[i] = 0xff
	}
	if !hasPorts(m.proto) && m.proto != ctnetlink.ProtoICMP && m.proto != ctnetlink.ProtoICMPv6 {
		m.sport, m.dport = 0, 0 // the tuple has no ports
	}
	return m
}

// expectEvent sends an event about an expectation to the sockets in a group, if
// its master has events (nf_ct_expect_event_report).
func (t *Table) expectEvent(e *expectation, g ctnetlink.Group, portID uint32, echo *socket) {
	if e.master.has&hasEvents == 0 || echo == nil && len(t.sockets.groups[g]) == 0 {
		return
	}
	head := expectHead{msg: wire.MsgNew, flags: wire.FlagCreate | wire.FlagExcl, portID: portID}
	if g == ctnetlink.GroupExpectDestroy {
		head.msg, head.flags = wire.MsgDelete, 0
	}
	w := t.builder()
	t.putExpect(w, e, head)
	t.multicast(w.B, g, echo)
}

// expectDump lists expectations in the order of their creation. Between two
// messages it keeps a serial number, not a pointer.
type expectDump struct {
	expectHead
	family ctnetlink.Family // 0: both
	master *entry           // nil: those of all masters
	id     uint32           // the master's, in case its slot is reused
	last   uint64
}

// dumpExpects starts a dump of all expectations or of one master's
// (ctnetlink_get_expect, ctnetlink_dump_exp_ct).
func (t *Table) dumpExpects(r *request, a *expectAttrs) errno {
	d := &expectDump{expectHead: expectHead{wire.MsgNew, wire.FlagMulti, r.seq, r.from.portID}, family: r.family}
	if a[wire.ExpectMaster] != nil {
		want, no := parseTuple(a[wire.ExpectMaster], r.family, original, nil)
		if no != 0 {
			return no
		}
		if d.master = t.lookup(&want, parseZone(a[wire.ExpectZone])); d.master == nil {
			return ctnetlink.ENOENT
		}
		if x := t.extension(d.master); x == nil || !x.hasHelp {
			return 0 // as in the kernel, without a dump
		}
		d.id = d.master.id
	}
	return r.from.startDump(d)
}

func (d *expectDump) sequence() uint32 { return d.seq }

func (d *expectDump) put(t *Table, w *wire.Builder) bool {
	all := t.expect.all
	for _, e := range all[t.expect.after(d.last):] {
		d.last = e.serial
		if e.ends <= t.now || d.family != 0 && e.tuple.family != d.family ||
			d.master != nil && (e.master != d.master || e.master.id != d.id) {
			continue
		}
		t.putExpect(w, e, d.expectHead)
		return true
	}
	return false
}

// statsExpect starts a dump of the expectation counters. Without NLM_F_DUMP the
// kernel answers nothing.
func (t *Table) statsExpect(r *request) errno {
	if !r.isDump() {
		return 0
	}
	return r.from.startDump(&countersDump{wire.MsgExpGetStatsCPU, r.seq, r.from.portID, t.expect.appendStats, false})
}

// appendStats appends the expectation counters (enum ctattr_expect_stats).
func (x *expectations) appendStats(w *wire.Builder) {
	w.U32(1, x.matched) // CTA_STATS_EXP_NEW: expectations that a packet matched
	w.U32(2, x.created) // CTA_STATS_EXP_CREATE
	w.U32(3, x.deleted) // CTA_STATS_EXP_DELETE
}
