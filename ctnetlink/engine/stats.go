package engine

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// statistics are the counters of the table's only CPU.
type statistics struct {
	found, invalid, insert, insertFailed, drop, earlyDrop, error, clashResolve uint32
}

// append appends the attributes of GET_STATS_CPU in the kernel's order (enum
// ctattr_stats_cpu).
func (s *statistics) append(w *wire.Builder) {
	for _, c := range [...]struct {
		typ uint16
		v   uint32
	}{
		{2, s.found},         // CTA_STATS_FOUND
		{4, s.invalid},       // CTA_STATS_INVALID
		{8, s.insert},        // CTA_STATS_INSERT
		{9, s.insertFailed},  // CTA_STATS_INSERT_FAILED
		{10, s.drop},         // CTA_STATS_DROP
		{11, s.earlyDrop},    // CTA_STATS_EARLY_DROP
		{12, s.error},        // CTA_STATS_ERROR
		{13, 0},              // CTA_STATS_SEARCH_RESTART
		{14, s.clashResolve}, // CTA_STATS_CLASH_RESOLVE
		{15, 0},              // CTA_STATS_CHAIN_TOOLONG
	} {
		w.U32(c.typ, c.v)
	}
}

// statsCPU starts a dump of the counters of each CPU. Without NLM_F_DUMP the
// kernel answers nothing.
func (t *Table) statsCPU(r *request) errno {
	if !r.isDump() {
		return 0
	}
	return r.from.startDump(&countersDump{wire.MsgGetStatsCPU, r.seq, r.from.portID, t.stats.append, false})
}

// countersDump lists one message, the counters of the table's only CPU. Its
// subsystem is conntrack for counters of expectations too, as in the kernel
// (ctnetlink_exp_stat_fill_info).
type countersDump struct {
	msg         uint16
	seq, portID uint32
	append      func(w *wire.Builder)
	done        bool
}

func (d *countersDump) sequence() uint32 { return d.seq }

func (d *countersDump) put(_ *Table, w *wire.Builder) bool {
	if d.done {
		return false
	}
	d.done = true
	w.Begin(wire.SubsysConntrack<<8|d.msg, wire.FlagMulti, d.seq, d.portID, 0, 0, 0)
	d.append(w)
	w.End()
	return true
}

// statsGlobal answers with the number of entries and its maximum.
func (t *Table) statsGlobal(r *request) errno {
	w := t.builder()
	w.Begin(wire.SubsysConntrack<<8|wire.MsgGetStats, wire.FlagMulti, r.seq, r.from.portID, 0, 0, 0)
	w.U32(wire.StatsGlobalEntries, uint32(t.count+t.pinned))
	w.U32(wire.StatsGlobalMax, uint32(t.o.Max))
	w.End()
	r.from.push(w.B, answerCost)
	return 0
}

// listNothing lists the dying or the unconfirmed entries, of which there are
// none.
func (t *Table) listNothing(r *request) errno {
	if !r.isDump() {
		return ctnetlink.EOPNOTSUPP
	}
	return r.from.startDump(emptyDump(r.seq))
}

// emptyDump is a dump that lists nothing; its value is the sequence number.
type emptyDump uint32

func (d emptyDump) sequence() uint32                 { return uint32(d) }
func (emptyDump) put(t *Table, w *wire.Builder) bool { return false }
