package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// judgeRST decides what an RST does, which by the table closes the connection:
// the new state, and whether its numbers are judged and recorded. A reason makes
// it INVALID.
//
// In ESTABLISHED the receiver closes only if the RST has the very number that it
// expects; else it answers with a challenge (RFC 5961, section 3.2), and the
// connection goes on. The table cannot know which, so the state stays, with the
// timeout of CLOSE.
func (t *Table) judgeRST(p *packet, from uint8) (to uint8, windows bool, r Reason) {
	switch from {
	case tFW, tCW, tLA, tTW, tCL:
		return tCL, false, r // it is over anyway, and the numbers may be those of another connection
	}
	e, s, d := p.e, &p.tcp, p.dir
	last, maxAck := &e.proto.tcp.last, e.proto.tcp.side[1-d].maxAck
	assured := e.status&ctnetlink.StatusAssured != 0
	established := from == tES && assured
	if e.proto.flags[1-d]&tcpFlagMaxAck != 0 && last.kind != kindSYN {
		switch {
		case s.seq == 0 && !established: // it may answer a SYN that was ignored
		case before(s.seq, maxAck) && !t.o.Sysctls.IgnoreInvalidRST:
			return tCL, false, Reason{Code: TCPBadRST, N: [3]int64{int64(maxAck - s.seq)}}
		case !established, s.seq == maxAck:
		case last.kind == kindACK && last.dir == d && s.seq == last.end: // behind the data that was just sent
		default:
			return tES, true, r
		}
		return tCL, true, r
	}
	// It may answer a packet that was let pass although it did not fit. Then its
	// numbers have nothing to do with those that are known.
	switch last.kind {
	case kindSYN:
		windows = s.ack != last.end || last.dir == d || e.status&ctnetlink.StatusSeenReply == 0
	case kindACK:
		windows = (assured || s.ack != last.end) && (from != tSS || last.dir != reply || s.seq != last.ack)
	default:
		windows = true
	}
	return tCL, windows, r
}
