package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// judgeRST decides what an RST does, which the table would have close the
// connection: the new state, and whether the windows matter. A reason makes it
// INVALID. A forged RST must not close a connection (RFC 5961, section 3), so in
// ESTABLISHED it must have the very number that the receiver expects.
func (t *Table) judgeRST(p *packet, from uint8) (to uint8, windows bool, r Reason) {
	e, s := p.e, &p.tcp
	ps := &e.proto
	last, d := &ps.tcp.last, p.dir
	y := &ps.tcp.side[1-d]
	to = tCL
	if ps.flags[1-d]&tcpFlagMaxAck != 0 {
		if !t.o.Sysctls.IgnoreInvalidRST && (from == tSR || from == tES) && after(y.maxAck, s.seq) {
			return to, false, Reason{Code: TCPBadRST, N: [3]int64{int64(y.maxAck - s.seq)}}
		}
		if from == tES && s.seq != y.maxAck && !(last.kind == kindACK && last.dir == d && s.seq == last.end) {
			to = tES
		}
	}
	switch {
	case from >= tFW && from <= tCL:
		return to, false, r
	case s.ack == last.end && (e.status&ctnetlink.StatusSeenReply != 0 && last.kind == kindSYN ||
		e.status&ctnetlink.StatusAssured == 0 && last.kind == kindACK):
		// It answers a SYN or ACK that was let pass although it did not fit.
		return to, false, r
	}
	return to, true, r
}
