package engine_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// datagram returns a UDP packet over IPv4 with n bytes of data and no checksum.
func datagram(from, to string, n int) []byte {
	src, dst := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	b := make([]byte, 28+n)
	b[0], b[8], b[9] = 0x45, 64, 17
	be := binary.BigEndian
	be.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], src.Addr().AsSlice())
	copy(b[16:], dst.Addr().AsSlice())
	var s uint32
	for i := 0; i < 20; i += 2 {
		s += uint32(be.Uint16(b[i:]))
	}
	be.PutUint16(b[10:], ^uint16(s+s>>16))
	be.PutUint16(b[20:], src.Port())
	be.PutUint16(b[22:], dst.Port())
	be.PutUint16(b[24:], uint16(8+n))
	return b
}

// filterFunc is a packet filter for tests: a function for each hook and priority.
type filterFunc func(h engine.Hook, from, to int32, m engine.Meta) engine.Action

func (f filterFunc) Run(h engine.Hook, from, to int32, m engine.Meta) engine.Action {
	return f(h, from, to, m)
}

func (filterFunc) NAT(engine.Hook, engine.Meta, *engine.Translation) (engine.Action, bool) {
	return engine.Accept, false
}

func (filterFunc) HasNAT(ctnetlink.Family) bool { return false }

// at reports whether a call of Run is for a hook and a priority.
func at(h engine.Hook, priority int32, hook engine.Hook, from, to int32) bool {
	return h == hook && from <= priority && priority < to
}

// destPort returns the destination port of a UDP or TCP packet.
func destPort(m engine.Meta) uint16 { return binary.BigEndian.Uint16(m.Transport()[2:]) }

// shapes receives the events in a socket's queue and returns each as its kind
// and the names of its attributes in order, with the numbers of three of them.
func shapes(t testing.TB, s ctnetlink.Socket) (all []string) {
	t.Helper()
	buf := make([]byte, 4096)
	for {
		n, _, err := s.Poll(buf)
		if err != nil {
			return all
		}
		m := wire.Message(buf[:n])
		kind := "UPDATE"
		switch {
		case m.Type()&0xff == wire.MsgDelete:
			kind = "DESTROY"
		case m.Flags() == wire.FlagCreate|wire.FlagExcl:
			kind = "NEW"
		}
		words := []string{kind}
		for a := (wire.Attrs{B: m.Payload()}); a.Next(); {
			name := attrNames[ctnetlink.Attr(a.Type)]
			switch ctnetlink.Attr(a.Type) {
			case ctnetlink.AttrStatus, ctnetlink.AttrTimeout, ctnetlink.AttrMark:
				name += fmt.Sprintf("=%x", binary.BigEndian.Uint32(a.Val))
			case ctnetlink.AttrZone:
				name += fmt.Sprintf("=%x", a.Val)
			}
			words = append(words, name)
		}
		all = append(all, strings.Join(words, " "))
	}
}

var attrNames = map[ctnetlink.Attr]string{
	ctnetlink.AttrTupleOrig: "ORIG", ctnetlink.AttrTupleReply: "REPLY", ctnetlink.AttrStatus: "STATUS",
	ctnetlink.AttrProtoInfo: "PROTO", ctnetlink.AttrTimeout: "TIMEOUT", ctnetlink.AttrMark: "MARK",
	ctnetlink.AttrCountersOrig: "CO", ctnetlink.AttrCountersReply: "CR", ctnetlink.AttrID: "ID",
	ctnetlink.AttrZone: "ZONE", ctnetlink.AttrTimestamp: "TS", ctnetlink.AttrTimestampEvent: "TSEVENT",
	ctnetlink.AttrSynproxy: "SYNPROXY", ctnetlink.AttrLabels: "LABELS", ctnetlink.AttrHelp: "HELP",
	ctnetlink.AttrTupleMaster: "MASTER", ctnetlink.AttrSeqAdjOrig: "SEQO", ctnetlink.AttrSeqAdjReply: "SEQR",
}

// packetStep is a packet and what Linux 6.18 made of it: its verdict, and its
// events with all their attributes in order.
type packetStep struct {
	reply bool
	port  uint16 // of the server; client port 1000
	n     int    // bytes of data
	wait  time.Duration
	state engine.State
	want  []string
}

// runSteps gives a table packets between a client and a server.
func runSteps(t *testing.T, o engine.Options, steps []packetStep) *engine.Table {
	t.Helper()
	tab := engine.New(o)
	l := listener(t, tab)
	now := time.Unix(1_700_000_000, 0)
	for i, s := range steps {
		now = now.Add(s.wait)
		client, server := "10.0.0.2:1000", fmt.Sprintf("192.0.2.2:%d", s.port)
		if s.reply {
			client, server = server, client
		}
		v := tab.Track(&engine.Packet{Data: datagram(client, server, s.n), Time: now})
		if v.State != s.state {
			t.Errorf("packet %d: %v, want %v", i+1, v.State, s.state)
		}
		if got := shapes(t, l); !slices.Equal(got, s.want) {
			t.Errorf("packet %d: events\n%q, want\n%q", i+1, got, s.want)
		}
	}
	return tab
}

const (
	stNew = engine.StateNew
	stEst = engine.StateEstablished
	stNo  = engine.StateUntracked
)

// TestPacketEvents: the events of packets have what the packet changed.
func TestPacketEvents(t *testing.T) {
	filter := filterFunc(func(h engine.Hook, from, to int32, m engine.Meta) engine.Action {
		n := len(m.Data())
		if !at(h, 0, engine.ForwardHook, from, to) {
			return engine.Accept
		}
		switch destPort(m) {
		case 1001:
			m.SetMark(5)
		case 1007:
			m.SetMark(uint32(n))
		case 1008:
			m.SetMark(7)
			if n >= 40 {
				m.SetMark(0)
			}
		case 1005:
			return engine.Drop
		case 1000, 1011:
			if n > 30 {
				return engine.Reject
			}
		}
		return engine.Accept
	})
	steps := []packetStep{
		{false, 53, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"}},
		{true, 53, 1, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e"}},
		{true, 53, 1, 0, stEst, nil},
		{true, 53, 1, 2100 * time.Millisecond, stEst, []string{"UPDATE ORIG REPLY ID STATUS=e TIMEOUT=78"}},
		{false, 53, 1, 0, stEst, nil},
		// A mark is shown unless it is 0 and was before.
		{false, 1001, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e MARK=5"}},
		{true, 1001, 1, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e MARK=5"}},
		{false, 1007, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e MARK=1d"}},
		{false, 1007, 1, 0, stNew, nil},
		{false, 1007, 2, 0, stNew, []string{"UPDATE ORIG REPLY ID STATUS=8 TIMEOUT=1e MARK=1e"}},
		{false, 1008, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e MARK=7"}},
		{false, 1008, 12, 0, stNew, []string{"UPDATE ORIG REPLY ID STATUS=8 TIMEOUT=1e MARK=0"}},
		{false, 1008, 12, 0, stNew, []string{"UPDATE ORIG REPLY ID STATUS=8 TIMEOUT=1e MARK=0"}},
		{true, 1008, 2, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e"}},
		// A packet that is dropped makes no entry.
		{false, 1005, 1, 0, stNew, nil},
		{false, 1005, 1, 0, stNew, nil},
		// What a dropped packet changed is reported with the next one.
		{false, 1011, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"}},
		{true, 1011, 3, 0, stEst, nil},
		{false, 1011, 3, 0, stEst, nil},
		{false, 1011, 1, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e"}},
	}
	runSteps(t, engine.Options{Rules: filter}, steps)
	for i := range steps {
		for j, w := range steps[i].want {
			steps[i].want[j] = w + " TSEVENT"
		}
	}
	now := func() time.Time { return time.Unix(1_700_000_003, 0) } // a second after the last packets
	tab := runSteps(t, engine.Options{Now: now, Rules: filter, Timestamps: true, Accounting: true, AlwaysEvents: true}, steps)
	l := listener(t, tab)
	if err := client(t, tab).Delete(&ctnetlink.FlowSpec{Family: 2, Orig: ctnetlink.NewTuple(ctnetlink.ProtoUDP,
		netip.MustParseAddrPort("10.0.0.2:1000"), netip.MustParseAddrPort("192.0.2.2:1001"))}); err != nil {
		t.Fatal(err)
	}
	want := []string{"DESTROY ORIG REPLY ID STATUS=20a TIMEOUT=1d CO CR TS MARK=5 TSEVENT"}
	if got := shapes(t, l); !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	for i := range steps {
		steps[i].want = nil
	}
	runSteps(t, engine.Options{Rules: filter, NoEvents: true}, steps)
}

// TestPacketZones: a reply must be in the zone of the entry's reply tuple. The
// first zone that rules set is the packet's, and a packet with a zone is
// tracked.
func TestPacketZones(t *testing.T) {
	filter := filterFunc(func(h engine.Hook, from, to int32, m engine.Meta) engine.Action {
		if !at(h, -300, engine.Prerouting, from, to) {
			return engine.Accept
		}
		src := binary.BigEndian.Uint16(m.Transport())
		switch destPort(m) + src - 1000 {
		case 2001:
			m.SetZone(4, true, true)
		case 2002:
			if src == 1000 {
				m.SetZone(5, true, false)
			}
		case 2004:
			m.SetZone(8, true, src == 1000)
		case 2006:
			if src == 1000 {
				m.SetZone(5, true, false)
				m.SetZone(6, false, true)
			}
		case 2007:
			m.SetZone(4, true, true)
			m.NoTrack()
		case 2008:
			m.NoTrack()
			m.SetZone(5, true, true)
		case 2009:
			m.NoTrack()
		}
		return engine.Accept
	})
	runSteps(t, engine.Options{Rules: filter}, []packetStep{
		{false, 2001, 1, 0, stNew, []string{"NEW ORIG REPLY ZONE=0004 ID STATUS=8 TIMEOUT=1e"}},
		{true, 2001, 1, 0, stEst, []string{"UPDATE ORIG REPLY ZONE=0004 ID STATUS=a TIMEOUT=1e"}},
		{false, 2002, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"}},
		{true, 2002, 1, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e"}},
		{false, 2002, 1, 0, stEst, nil},
		{false, 2004, 1, 0, stNew, []string{"NEW ORIG REPLY ZONE=0008 ID STATUS=8 TIMEOUT=1e"}},
		{true, 2004, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"}},
		{false, 2006, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"}},
		{true, 2006, 1, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e"}},
		{false, 2007, 1, 0, stNew, []string{"NEW ORIG REPLY ZONE=0004 ID STATUS=8 TIMEOUT=1e"}},
		{false, 2008, 1, 0, stNew, []string{"NEW ORIG REPLY ZONE=0005 ID STATUS=8 TIMEOUT=1e"}},
		{false, 2009, 1, 0, stNo, nil},
	})
}

// TestPacketTimeouts: timeouts of a rule act from the first packet on, the last
// rule's if there are several, and not on entries that exist.
func TestPacketTimeouts(t *testing.T) {
	first, second := &engine.Timeouts{7, 9}, &engine.Timeouts{17, 19}
	filter := filterFunc(func(h engine.Hook, from, to int32, m engine.Meta) engine.Action {
		p := destPort(m)
		if at(h, -300, engine.Prerouting, from, to) && p == 2001 {
			m.SetTimeouts(first) // the packet has no entry yet
		}
		if !at(h, 0, engine.ForwardHook, from, to) {
			return engine.Accept
		}
		switch {
		case p == 2002, p == 2005 && len(m.Data()) == 40:
			m.SetTimeouts(first)
		case p == 2003:
			m.SetTimeouts(first)
			m.SetTimeouts(second)
		}
		return engine.Accept
	})
	runSteps(t, engine.Options{Rules: filter}, []packetStep{
		{false, 2001, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"}},
		{false, 2002, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=7"}},
		{true, 2002, 1, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=7"}},
		{false, 2002, 1, 3 * time.Second, stEst, []string{"UPDATE ORIG REPLY ID STATUS=e TIMEOUT=9"}},
		{false, 2003, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=11"}},
		{false, 2005, 1, 0, stNew, []string{"NEW ORIG REPLY ID STATUS=8 TIMEOUT=1e"}},
		{false, 2005, 12, 0, stNew, nil},
		{true, 2005, 1, 0, stEst, []string{"UPDATE ORIG REPLY ID STATUS=a TIMEOUT=1e"}},
	})
}
