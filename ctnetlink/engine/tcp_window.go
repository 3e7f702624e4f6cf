package engine

// ackWindow is how far an acknowledgement may be behind what the other side has
// sent, if that side's windows are smaller.
const ackWindow = 66000

// begin starts a side with a packet of it that is the first one to be seen.
func (x *tcpSide) begin(s *segment) {
	*x = tcpSide{end: s.end, limit: s.end, maxWin: max(uint32(s.window), 1)}
}

// options takes over the options of a side's SYN.
func (p *protoState) options(s *segment, d direction) {
	p.wscale[d], p.flags[d] = s.scale, p.flags[d]&^(tcpFlagScale|tcpFlagSACK)
	if s.hasScale {
		p.flags[d] |= tcpFlagScale
	}
	if s.sackOK {
		p.flags[d] |= tcpFlagSACK
	}
}

// tcpWindow judges the numbers of a packet by what both sides have sent so far,
// and records them (Guido van Rooij, Real Stateful TCP Packet Filtering in IP
// Filter). Let x be the sender's side and y the receiver's. Good are
//
//	seq ≤ x.limit            not more than y's windows permit
//	ack ≤ y.end              nothing acknowledged that y has not sent
//	end ≥ x.end − y.maxWin   not older than a window
//	ack ≥ y.end − x.maxWin   the same of the acknowledgement
func (t *Table) tcpWindow(p *packet, kind tcpKind, from uint8) (outcome, Reason) {
	e, s := p.e, &p.tcp
	ps, st := &e.proto, &e.proto.tcp
	d := p.dir
	x, y := &st.side[d], &st.side[1-d]
	seq, end, ack, sack := s.seq, s.end, s.ack, s.ack
	hasACK := s.flags&tcpACK != 0
	if ps.flags[1-d]&tcpFlagSACK != 0 {
		sack = s.sacked
	}
	if by := t.seqOffset(e, 1-d, ack-1); by != 0 { // it acknowledges what a helper sent
		ack, sack = ack-by, sack-by
	}
	win := uint32(s.window)
	if s.flags&tcpSYN == 0 {
		win <<= ps.wscale[d]
	}
	switch {
	case x.maxWin == 0 && s.flags&tcpSYN != 0:
		x.begin(s)
		ps.options(s, d)
		if ps.flags[original]&ps.flags[reply]&tcpFlagScale == 0 {
			ps.wscale = [2]uint8{}
		}
		if !hasACK {
			return accepted, Reason{} // both sides open
		}
	case x.maxWin == 0:
		x.end, x.maxWin = end, max(win, 1)
		x.limit = end + max(y.maxWin, 1)
		if sack-y.end == 1 {
			y.end++ // its SYN was not seen
		}
	case from == tSS && d == original && kind == kindSYN, from == tSR && d == original && kind == kindSYNACK:
		x.begin(s)
		ps.options(s, d)
		if kind == kindSYN {
			return accepted, Reason{}
		}
	}
	if !hasACK || kind == kindRST && ack == 0 {
		ack, sack = y.end, y.end
	}

	liberal := t.o.Sysctls.Liberal || ps.flags[d]&tcpFlagLiberal != 0
	newest := !after(sack, y.end)
	recent := y.maxWin == 0 || !after(x.end-y.maxWin, end)
	recentACK := y.maxWin == 0 || !after(y.end-max(ackWindow, x.maxWin), sack)
	var r Reason
	did := rejected
	switch {
	case after(seq, x.limit):
		over := end - x.limit
		if newest && recent && recentACK && over < y.maxWin {
			did, r = ignored, Reason{Code: TCPSeqBeyond, N: [3]int64{int64(over) + 1}}
			if after(end, x.end) {
				x.end = end
				ps.flags[d] |= tcpFlagUnacked
			}
			break
		}
		r = Reason{Code: TCPSeqOver, N: [3]int64{int64(x.limit) + 1}}
	case !newest:
		r = Reason{Code: TCPAckOver, N: [3]int64{int64(y.end) + 1}}
	case !recent:
		did, r = ignored, Reason{Code: TCPSeqUnder, N: [3]int64{int64(x.end - y.maxWin - 1)}}
	case !recentACK:
		did, r = ignored, Reason{Code: TCPAckUnder, N: [3]int64{int64(y.end - max(ackWindow, x.maxWin) - 1)}}
	default:
		st.record(ps, s, kind, d, ack, sack, win)
		return accepted, Reason{}
	}
	if liberal {
		return accepted, Reason{}
	}
	return did, r
}

// record takes over the numbers of a packet that are good.
func (st *tcpState) record(ps *protoState, s *segment, kind tcpKind, d direction, ack, sack, win uint32) {
	x, y := &st.side[d], &st.side[1-d]
	x.maxWin = max(x.maxWin, win+sack-ack)
	if after(s.end, x.end) {
		x.end = s.end
		ps.flags[d] |= tcpFlagUnacked
	}
	if s.flags&tcpACK != 0 && (ps.flags[d]&tcpFlagMaxAck == 0 || after(ack, x.maxAck)) {
		x.maxAck = ack
		ps.flags[d] |= tcpFlagMaxAck
	}
	if y.maxWin != 0 && after(s.end, x.limit) {
		y.maxWin += s.end - x.limit
	}
	if after(sack+win, y.limit-1) {
		y.limit = sack + max(win, 1)
	}
	if ack == y.end {
		ps.flags[1-d] &^= tcpFlagUnacked
	}
	if kind == kindACK {
		l := &st.last
		if l.dir == d && l.seq == s.seq && l.ack == ack && l.end == s.end && l.win == s.window {
			if l.retrans < 255 {
				l.retrans++
			}
			return
		}
		l.dir, l.seq, l.ack, l.end, l.win, l.retrans = d, s.seq, ack, s.end, s.window, 0
	}
}
