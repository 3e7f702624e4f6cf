package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// tcp tracks TCP connections: their states (tcp_table.go) and, so that nobody
// else can close them, the numbers that either side may send (tcp_window.go).
var tcp = protocol{tuple: ports, check: checkTCP, packet: trackTCP}

// tcpState is what is known of a TCP connection beside its state, its flags and
// the window scales, which are in protoState because requests change them.
type tcpState struct {
	side [2]tcpSide
	last tcpLast
	// unsure reports that the options of a SYN were not captured whole: if they
	// had a window scale, the windows are not those that the sides mean.
	unsure bool
}

// tcpSide is what one side has sent. Its zero value is a side that was not seen.
type tcpSide struct {
	end    uint32 // the number behind the highest one sent
	limit  uint32 // the highest one that the other side ever permitted: its acknowledgement plus its window
	maxWin uint32 // the largest window announced, scaled; at least 1 once the side was seen
	maxAck uint32 // the highest acknowledgement, if flag tcpFlagMaxAck
}

// tcpLast is what the state machine remembers of the last packets.
type tcpLast struct {
	// Of the last ACK that counted, or the last packet that was ignored. ack stays
	// as it was when a packet is ignored, but for an ACK in SYN_SENT.
	seq, ack, end uint32
	win           uint16 // as in the header
	// Of the last packet that counted or was ignored, or of a FIN or RST that was
	// INVALID in an ASSURED entry.
	kind    tcpKind
	dir     direction
	retrans uint8 // how often the last ACK was repeated
	// Of the last SYN of the original direction that was ignored: its window scale
	// and tcpFlagScale, tcpFlagSACK, tcpFlagChallenge. tcpFlagBothOpen is of the
	// connection.
	scale, flags uint8
}

// tcpKind is what a packet is to the state machine: a column of the table.
type tcpKind uint8

const (
	kindSYN tcpKind = iota
	kindSYNACK
	kindFIN
	kindACK
	kindRST
)

var tcpKindNames = [...]string{"SYN", "SYN/ACK", "FIN", "ACK", "RST"}

// kind returns the kind of a packet with flags that checkTCP accepts.
func (s *segment) kind() tcpKind {
	switch {
	case s.flags&tcpRST != 0:
		return kindRST
	case s.flags&(tcpSYN|tcpACK) == tcpSYN|tcpACK:
		return kindSYNACK
	case s.flags&tcpSYN != 0:
		return kindSYN
	case s.flags&tcpFIN != 0:
		return kindFIN
	}
	return kindACK
}

// Flags of a side, as CTA_PROTOINFO_TCP_FLAGS_* has them (IP_CT_TCP_FLAG_* of
// linux/netfilter/nf_conntrack_tcp.h). The last two are in tcpLast.flags only.
const (
	tcpFlagScale     = uint8(ctnetlink.TCPWindowScale) // its SYN had the option window scale
	tcpFlagSACK      = uint8(ctnetlink.TCPSackPerm)    // its SYN had the option SACK permitted
	tcpFlagCloseInit = uint8(ctnetlink.TCPCloseInit)   // it sent the first FIN
	tcpFlagLiberal   = uint8(ctnetlink.TCPBeLiberal)   // its packets count whatever their numbers are
	tcpFlagUnacked   = uint8(0x10)                     // it sent something that is not acknowledged so far
	tcpFlagMaxAck    = uint8(0x20)                     // it sent an acknowledgement
	tcpFlagChallenge = uint8(0x40)                     // the answer to the SYN may be a challenge (RFC 5961)
	tcpFlagBothOpen  = uint8(0x80)                     // both sides sent a SYN
)

// trackTCP takes a packet through the state machine, in this order: the table;
// what is special about its cell; the windows; the new state and timeout.
func trackTCP(t *Table, p *packet) (outcome, Reason) {
	e, s := p.e, &p.tcp
	st, last, kind := &e.proto.tcp, &e.proto.tcp.last, s.kind()
	if p.v.New {
		if r := t.beginTCP(e, s, kind); r.Code != 0 {
			return rejected, r
		}
	}
	from := e.proto.state
	if from > tS2 {
		from = tNO // a restored entry of another kernel
	}
	to := tcpNext[p.dir][from][kind]
	if to == tRE {
		to = tIG
		if (e.proto.flags[original]|e.proto.flags[reply])&tcpFlagCloseInit != 0 ||
			last.dir == p.dir && last.kind == kindRST {
			to = tNEW
		}
	}
	windows := true
	switch to {
	case tIV:
		return misfit(p, kind, from)
	case tNEW:
		t.remove(e, 0, nil)
		return again, Reason{}
	case tIG:
		if !st.answersSYN(s, kind, p.dir) {
			st.unsure = st.unsure || kind == kindSYN && s.optionsCut
			last.remember(s, kind, p.dir, from)
			return ignored, stateReason(TCPIgnored, kind, p.dir, from)
		}
		e.proto.resume()
		from, to = tSS, tSR
	case tTW:
		if from == tLA && kind == kindACK && last.kind == kindSYN && last.dir != p.dir &&
			last.flags&tcpFlagChallenge != 0 {
			last.flags &^= tcpFlagChallenge
			return ignored, Reason{Code: TCPChallenge}
		}
	case tS2:
		last.flags |= tcpFlagBothOpen
	case tSR:
		if kind == kindACK && p.dir == reply && last.flags&tcpFlagBothOpen != 0 {
			to = tES
		}
	case tCL:
		if kind == kindRST {
			var r Reason
			if to, windows, r = t.judgeRST(p, from); r.Code != 0 {
				return rejected, r
			}
		}
	}
	var r Reason
	if windows {
		var did outcome
		if did, r = t.tcpWindow(p, kind, from); did != accepted {
			if did == rejected && r.Code != CutShort {
				t.tcpRefused(p, kind)
			}
			return did, r
		}
	}
	last.kind, last.dir = kind, p.dir
	return t.moveTCP(p, kind, from, to), Reason{}
}

// beginTCP prepares a new entry for its first packet: a SYN, or, with
// nf_conntrack_tcp_loose, an ACK of a connection that began before it was
// tracked.
func (t *Table) beginTCP(e *entry, s *segment, kind tcpKind) Reason {
	side := &e.proto.tcp.side[original]
	switch {
	case kind == kindSYN:
		side.begin(s.end, s.window)
		e.proto.options(s, original)
	case kind == kindSYNACK:
		return Reason{Code: TCPUnasked}
	case kind != kindACK:
		return Reason{Code: TCPBadNew, N: [3]int64{int64(kind)}}
	case !t.o.Sysctls.Loose:
		return Reason{Code: TCPNotLoose}
	default:
		side.begin(s.end, s.window)
		side.limit = side.end + side.maxWin
		e.proto.flags = [2]uint8{tcpFlagSACK | tcpFlagLiberal, tcpFlagSACK | tcpFlagLiberal}
	}
	return Reason{}
}

// misfit refuses a packet that the table has as INVALID in a state. Until the
// answer to the SYN comes, the client of a SYNPROXY may send keep-alives.
func misfit(p *packet, kind tcpKind, from uint8) (outcome, Reason) {
	code, st := TCPBadState, &p.e.proto.tcp
	if from == tSS && p.dir == original && kind != kindSYNACK {
		code = TCPUnanswered
		if kind == kindACK && p.e.has&hasSynproxy != 0 && st.last.dir == original && p.tcp.seq == st.side[original].end-1 {
			return ignored, Reason{}
		}
	}
	return rejected, stateReason(code, kind, p.dir, from)
}

// answersSYN reports whether a packet is the SYN/ACK to the last packet, a SYN
// that was ignored: the table's idea of the connection is out of date.
func (st *tcpState) answersSYN(s *segment, kind tcpKind, dir direction) bool {
	return kind == kindSYNACK && st.last.kind == kindSYN && st.last.dir != dir && s.ack == st.last.end
}

// remember records a packet that is ignored.
func (l *tcpLast) remember(s *segment, kind tcpKind, dir direction, from uint8) {
	l.kind, l.dir, l.seq, l.end, l.win = kind, dir, s.seq, s.end, s.window
	if from == tSS && kind == kindACK {
		l.ack = s.ack // what the RST that answers it has as its number
	}
	if kind == kindSYN && dir == original {
		l.flags, l.scale = 0, 0
		if s.hasScale {
			l.flags, l.scale = tcpFlagScale, s.scale
		}
		if s.sackOK {
			l.flags |= tcpFlagSACK
		}
		if from == tLA {
			l.flags |= tcpFlagChallenge
		}
	}
}

// resume begins the connection anew with the SYN that was ignored. The other
// side begins with the packet that answers it.
func (p *protoState) resume() {
	l := &p.tcp.last
	p.tcp.side[l.dir].begin(l.end, l.win)
	p.wscale[l.dir] = l.scale
	l.flags &^= tcpFlagChallenge
	p.flags[l.dir] = l.flags
	p.tcp.side[1-l.dir] = tcpSide{}
	p.flags[1-l.dir] &= tcpFlagLiberal
}

// moveTCP sets the new state of an entry, its timeout and what follows from it.
func (t *Table) moveTCP(p *packet, kind tcpKind, from, to uint8) outcome {
	e := p.e
	seen := e.status&ctnetlink.StatusSeenReply != 0
	e.proto.state = to
	if from != to {
		t.note(p, noteProto)
		if to == tFW {
			e.proto.flags[p.dir] |= tcpFlagCloseInit
		}
	}
	seconds := t.tcpTimeout(p, kind, to)
	switch {
	case seen:
		if to == tES && (from == tSR || from == tES) {
			t.assure(p)
		}
	case kind == kindRST: // it refuses the connection
		p.count()
		return gone
	case from == tSS && (to == tSS || to == tS2):
		return accepted // a repeated SYN does not prolong the attempt
	case to == tES:
		seconds = min(seconds, t.timeouts(p, &t.o.Sysctls.TCP)[tcpUnacknowledged])
	}
	t.refresh(p, seconds)
	return accepted
}

// stateReason returns the reason for a packet that does not fit a state.
func stateReason(code ReasonCode, kind tcpKind, d direction, state uint8) Reason {
	return Reason{Code: code, N: [3]int64{int64(kind), int64(d), int64(state)}}
}
