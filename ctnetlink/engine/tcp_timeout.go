package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// tcpTimeout returns the timeout of an entry behind a packet, in seconds. The
// first line that fits decides.
func (t *Table) tcpTimeout(p *packet, kind tcpKind, to uint8) uint32 {
	ps, timeouts := &p.e.proto, t.timeouts(p, &t.o.Sysctls.TCP)
	state := timeouts[to]
	retrans, unacked := timeouts[tcpMaxRetrans], timeouts[tcpUnacknowledged]
	switch {
	case uint32(ps.tcp.last.retrans) >= t.o.Sysctls.MaxRetrans && state > retrans:
		return retrans
	case kind == kindRST:
		return timeouts[tCL]
	case (ps.flags[original]|ps.flags[reply])&tcpFlagUnacked != 0 && state > unacked:
		return unacked
	case ps.tcp.last.win == 0 && state > retrans:
		return retrans
	}
	return state
}

// tcpRefused takes note of a FIN or RST whose numbers were wrong. When one side
// answers such a packet of the other with such a packet, it is likely that the
// connection is over and that the table has missed something: it is not kept for
// days.
func (t *Table) tcpRefused(p *packet, kind tcpKind) {
	e := p.e
	last := &e.proto.tcp.last
	if kind != kindFIN && kind != kindRST ||
		e.status&(ctnetlink.StatusAssured|ctnetlink.StatusFixedTimeout) != ctnetlink.StatusAssured {
		return
	}
	why := TCPAnswersFIN
	switch {
	case last.dir == p.dir || last.kind != kindFIN && last.kind != kindRST:
		last.kind, last.dir = kind, p.dir
		return
	case last.kind == kindRST:
		why = TCPAnswersRST
	}
	to := t.timeouts(p, &t.o.Sysctls.TCP)[tcpUnacknowledged]
	if lower := t.now.after(to); e.deadline >= t.now.after(worthLowering) && e.deadline > lower {
		t.setDeadline(e, lower)
		p.v.Also = Reason{Code: why, N: [3]int64{int64(kind), int64(p.dir), int64(to) * ticksPerSecond}}
	}
}

// worthLowering is the shortest timeout that tcpRefused lowers, in seconds.
const worthLowering = 120
