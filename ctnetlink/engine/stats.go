package engine

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// statistics are the counters of the one CPU that the table has.
type statistics struct {
	found, insert, earlyDrop uint32
}

// counters are the attributes of GET_STATS_CPU in order, and their values; what
// only packets move stays 0 (enum ctattr_stats_cpu).
func (s *statistics) counters() [10]struct {
	typ uint16
	v   uint32
} {
	return [...]struct {
		typ uint16
		v   uint32
	}{
		{2, s.found},      // CTA_STATS_FOUND
		{4, 0},            // CTA_STATS_INVALID
		{8, s.insert},     // CTA_STATS_INSERT
		{9, 0},            // CTA_STATS_INSERT_FAILED: no packet was dropped
		{10, 0},           // CTA_STATS_DROP
		{11, s.earlyDrop}, // CTA_STATS_EARLY_DROP
		{12, 0},           // CTA_STATS_ERROR
		{13, 0},           // CTA_STATS_SEARCH_RESTART
		{14, 0},           // CTA_STATS_CLASH_RESOLVE
		{15, 0},           // CTA_STATS_CHAIN_TOOLONG
	}
}

// statsCPU lists the counters of each CPU; without NLM_F_DUMP, nothing.
func (t *Table) statsCPU(r *request) errno {
	if !r.isDump() {
		return 0
	}
	return r.from.startDump(&statsDump{seq: r.seq, portID: r.from.portID})
}

type statsDump struct {
	seq, portID uint32
	done        bool
}

func (d *statsDump) sequence() uint32 { return d.seq }

func (d *statsDump) put(t *Table, w *wire.Builder) bool {
	if d.done {
		return false
	}
	d.done = true
	w.Begin(wire.SubsysConntrack<<8|wire.MsgGetStatsCPU, wire.FlagMulti, d.seq, d.portID, 0, 0, 0)
	for _, c := range t.stats.counters() {
		w.U32(c.typ, c.v)
	}
	w.End()
	return true
}

// statsGlobal answers how many entries there are and may be.
func (t *Table) statsGlobal(r *request) errno {
	w := t.builder()
	w.Begin(wire.SubsysConntrack<<8|wire.MsgGetStats, wire.FlagMulti, r.seq, r.from.portID, 0, 0, 0)
	w.U32(wire.StatsGlobalEntries, uint32(t.count+t.pinned))
	w.U32(wire.StatsGlobalMax, uint32(t.o.Max))
	w.End()
	r.from.push(w.B, answerCost)
	return 0
}

// listNothing lists the entries that are dying or unconfirmed: there are never any.
func (t *Table) listNothing(r *request) errno {
	if !r.isDump() {
		return ctnetlink.EOPNOTSUPP
	}
	return r.from.startDump(emptyDump(r.seq))
}

// emptyDump is the sequence number of a dump of nothing.
type emptyDump uint32

func (d emptyDump) sequence() uint32                 { return uint32(d) }
func (emptyDump) put(t *Table, w *wire.Builder) bool { return false }
