package engine

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TCPNumbers are what a table knows of a TCP connection, so that tests can send
// packets at the edges of what passes.
type TCPNumbers struct {
	Sides [2]TCPSide // by direction
	Last  struct {
		Seq, Ack, End uint32
		Window        uint16
		Reply         bool
	}
}

// TCPSide is what is known of a side: tcpSide.
type TCPSide struct{ End, Limit, MaxWin, MaxAck uint32 }

// TCPNumbers returns the numbers of the entry that has a tuple. reply reports
// whether it is the tuple of the reply direction, ok whether there is an entry.
func (t *Table) TCPNumbers(src, dst netip.AddrPort, now time.Time) (n TCPNumbers, reply, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	want := tuple{family: familyIPv4, proto: ctnetlink.ProtoTCP, sport: src.Port(), dport: dst.Port()}
	if src.Addr().Is6() {
		want.family = familyIPv6
	}
	copy(want.src[:], src.Addr().AsSlice())
	copy(want.dst[:], dst.Addr().AsSlice())
	t.setClock(now.UnixNano())
	e, d := t.seek(&want, defaultZone)
	if e == nil {
		return n, false, false
	}
	st := &e.proto.tcp
	for i, s := range st.side {
		n.Sides[i] = TCPSide{s.end, s.limit, s.maxWin, s.maxAck}
	}
	l := &st.last
	n.Last.Seq, n.Last.Ack, n.Last.End, n.Last.Window, n.Last.Reply = l.seq, l.ack, l.end, l.win, l.dir != 0
	return n, d != original, true
}
