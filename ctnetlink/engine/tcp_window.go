package engine

// ackWindow is how far an acknowledgement may be behind what the other side has
// sent, if that side's windows are smaller.
const ackWindow = 66000

// begin starts a side with a packet behind which its numbers are known.
func (x *tcpSide) begin(end uint32, window uint16) {
	x.end, x.limit, x.maxWin = end, end, max(uint32(window), 1)
}

// options takes over the options of a side's SYN. Those of an earlier one stay
// if it has none at all.
func (p *protoState) options(s *segment, d direction) {
	p.tcp.unsure = p.tcp.unsure || s.optionsCut
	if s.header != 20 {
		p.wscale[d] = s.scale
		p.flags[d] &= tcpFlagLiberal
		if s.hasScale {
			p.flags[d] |= tcpFlagScale
		}
		if s.sackOK {
			p.flags[d] |= tcpFlagSACK
		}
	}
	if d == reply && p.flags[original]&p.flags[reply]&tcpFlagScale == 0 {
		p.wscale = [2]uint8{} // both must offer it (RFC 7323, section 2.2)
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
	s, ps, d := &p.tcp, &p.e.proto, p.dir
	st := &ps.tcp
	x, y := &st.side[d], &st.side[1-d]
	seq, end, ack, sack := s.seq, s.end, s.ack, s.ack
	hasACK := s.flags&tcpACK != 0
	if ps.flags[1-d]&tcpFlagSACK != 0 {
		sack = s.sacked
	}
	if by := t.seqOffset(p.e, 1-d, ack-1); by != 0 { // it acknowledges what a helper sent
		ack, sack = ack-by, sack-by
	}
	win := uint32(s.window)
	if s.flags&tcpSYN == 0 {
		win <<= ps.wscale[d]
	}
	switch {
	case x.maxWin == 0 && s.flags&tcpSYN != 0:
		x.begin(s.end, s.window)
		ps.options(s, d)
		if !hasACK {
			return accepted, Reason{} // both sides open
		}
	case x.maxWin == 0:
		x.end, x.maxWin = end, max(win, 1)
		x.limit = end + x.maxWin
		switch {
		case y.maxWin == 0:
			y.end, y.limit = sack, sack
		case sack-y.end == 1:
			y.end++ // its SYN was not seen
		}
	case s.flags&tcpSYN != 0 && after(end, x.end) && (from == tSS || from == tSR):
		x.begin(s.end, s.window)
		ps.options(s, d)
		if !hasACK && d == reply {
			return accepted, Reason{}
		}
	}
	if kind == kindRST && from == tSS && seq == 0 {
		seq, end = x.end, x.end // it refuses a SYN
	}
	if !hasACK || kind == kindRST && ack == 0 {
		ack, sack = y.end, y.end
	}

	newest, oldest, oldestACK := x.limit, x.end-y.maxWin, y.end-max(ackWindow, x.maxWin)
	ackIsKnown, isRecent := !after(sack, y.end), y.maxWin == 0 || !before(end, oldest)
	ackIsRecent := !before(sack, oldestACK)
	did, r := rejected, Reason{}
	switch {
	case after(seq, newest):
		over := end - newest
		r = reasonOf(TCPSeqOver, newest+1, seq-newest)
		switch {
		case over < y.maxWin && ackIsKnown && isRecent && ackIsRecent:
			did, r = ignored, reasonOf(TCPSeqBeyond, over+1, over)
			x.end = end
			ps.flags[d] |= tcpFlagUnacked
		case st.unsure:
			r = Reason{Code: CutShort}
		}
	case !ackIsKnown:
		r = reasonOf(TCPAckOver, y.end+1, sack-y.end)
	case !isRecent:
		did, r = ignored, reasonOf(TCPSeqUnder, oldest-1, oldest-end)
	case !ackIsRecent:
		did, r = ignored, reasonOf(TCPAckUnder, oldestACK-1, oldestACK-sack)
	default:
		st.record(ps, s, kind, d, end, ack, sack, win)
		return accepted, Reason{}
	}
	if t.o.Sysctls.Liberal || ps.flags[d]&tcpFlagLiberal != 0 {
		return accepted, Reason{}
	}
	return did, r
}

// reasonOf returns a reason with the bound that the kernel prints and the
// distance from it.
func reasonOf(code ReasonCode, bound, distance uint32) Reason {
	return Reason{Code: code, N: [3]int64{int64(bound), int64(distance)}}
}

// record takes over the numbers of a packet that are good.
func (st *tcpState) record(ps *protoState, s *segment, kind tcpKind, d direction, end, ack, sack, win uint32) {
	x, y := &st.side[d], &st.side[1-d]
	x.maxWin = max(x.maxWin, win+sack-ack)
	if after(end, x.end) {
		x.end = end
		ps.flags[d] |= tcpFlagUnacked
	}
	if s.flags&tcpACK != 0 && (ps.flags[d]&tcpFlagMaxAck == 0 || after(ack, x.maxAck)) {
		x.maxAck = ack
		ps.flags[d] |= tcpFlagMaxAck
	}
	if y.maxWin != 0 && after(end, x.limit) {
		y.maxWin += end - x.limit
	}
	if after(sack+win, y.limit-1) {
		y.limit = sack + max(win, 1)
	}
	if ack == y.end {
		ps.flags[1-d] &^= tcpFlagUnacked
	}
	if kind == kindACK {
		l := &st.last
		if l.dir == d && l.seq == s.seq && l.ack == ack && l.end == end && l.win == s.window {
			l.retrans++ // 255 times; the next one begins anew
			return
		}
		l.dir, l.seq, l.ack, l.end, l.win, l.retrans = d, s.seq, ack, end, s.window, 0
	}
}
