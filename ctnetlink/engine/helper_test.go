package engine_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// control is a TCP connection with a helper, in step.
type control struct {
	*helperLab
	ends [2]netip.AddrPort
	next [2]uint32
}

func (l *helperLab) control(v6 bool, server, port uint16) *control {
	c, s := packets.Addr("10.0.0.2"), packets.Addr("192.0.2.2")
	if v6 {
		c, s = packets.Addr("fd00:a::2"), packets.Addr("fd00:b::2")
	}
	x := &control{l, [2]netip.AddrPort{netip.AddrPortFrom(c, port), netip.AddrPortFrom(s, server)}, [2]uint32{1000, 5000}}
	x.say(0, packets.SYN, "")
	x.say(1, packets.SYN|packets.ACK, "")
	x.say(0, packets.ACK, "")
	return x
}

func (x *control) say(dir int, flags uint8, data string) (*engine.Verdict, []string) {
	x.Helper()
	b := packets.TCP{Src: x.ends[dir], Dst: x.ends[1-dir], Flags: flags, Seq: x.next[dir], Ack: x.next[1-dir],
		Data: []byte(data)}.Bytes()
	x.next[dir] += uint32(len(data)) + uint32(flags>>1&1) + uint32(flags&1)
	return x.send(b, "ab"[dir:dir+1])
}

// TestFTPForms: what Linux 6.18 did with data that begins a line, sent by the
// client (0) or by the server (1): the port that it expects, or "drop".
func TestFTPForms(t *testing.T) {
	l := newHelperLab(t, engine.Options{Rules: helperRules{}})
	for i, tt := range ftpForms {
		x := l.control(tt.v6, 21, uint16(1024+i))
		x.say(1, packets.ACK, "220 hi\r\n")
		x.say(0, packets.ACK, "USER a\r\n")
		v, events := x.say(tt.dir, packets.ACK, tt.data)
		got := ""
		for _, e := range events {
			if strings.HasPrefix(e, "EXP_NEW") {
				got = e[strings.LastIndex(e[:strings.Index(e, " mask")], ">")+1 : strings.Index(e, " mask")]
			}
		}
		if v.Fate == engine.Dropped {
			got = "drop"
		}
		if got != tt.want {
			t.Errorf("IPv6 %v, %d %q: %q, want %q (%v)", tt.v6, tt.dir, tt.data, got, tt.want, events)
		}
		if err := l.flush(); err != nil {
			t.Fatal(err)
		}
	}
}

// flush removes all entries.
func (l *helperLab) flush() error {
	l.Helper()
	err := client(l, l.table).Flush(ctnetlink.FamilyAny)
	l.events()
	return err
}

// TestIRCForms: the port that Linux 6.18 expects after data of a client of IRC.
func TestIRCForms(t *testing.T) {
	for _, tt := range ircForms {
		l := newHelperLab(t, engine.Options{Rules: helperRules{}})
		x := l.control(false, 6667, 1024)
		_, events := x.say(0, packets.ACK, tt.data)
		if got := expectedPort(events); got != strconv.Itoa(tt.port) {
			t.Errorf("%q: %s, want %d", tt.data, got, tt.port)
		}
	}
}

// expectedPort returns the port of the expectation that was made, "0" if there is
// none.
func expectedPort(events []string) string {
	for _, e := range events {
		if tuple, _, ok := strings.Cut(e, " mask"); ok && strings.HasPrefix(e, "EXP_NEW") {
			return tuple[strings.LastIndexByte(tuple, '>')+1:]
		}
	}
	return "0"
}

// TestBroadcastHelpers: answers to a broadcast of this machine are expected from
// its network, as Linux 6.18 does.
func TestBroadcastHelpers(t *testing.T) {
	prefix := func(s, dev string) engine.Addr { return engine.Addr{Interface: dev, Prefix: netip.MustParsePrefix(s)} }
	l := newHelperLab(t, engine.Options{Rules: helperRules{}, Host: engine.Host{Addrs: []engine.Addr{
		prefix("10.9.0.1/24", "a"), prefix("10.8.0.1/16", "b"), prefix("10.9.0.77/24", "a"), prefix("fd00:a::1/64", "a"),
	}}})
	for _, tt := range []struct {
		from, to, dev string
		where         engine.Where
		want          []string
	}{
		{"10.9.0.1:137", "10.9.0.255:137", "a", engine.Output, []string{
			"NEW 17 10.9.0.1>10.9.0.255 137>137 reply 17 10.9.0.255>10.9.0.1 137>137 status 2008 timeout 30 help netbios-ns",
			"EXP_NEW 17 10.9.0.255>10.9.0.1 137>137 mask 17 255.255.255.0>255.255.255.255 65535>65535 timeout 3 flags 1 " +
				"class 0 help netbios-ns",
		}},
		{"10.9.0.55:137", "10.9.0.1:137", "a", engine.Input, []string{
			"NEW 17 10.9.0.55>10.9.0.1 137>137 reply 17 10.9.0.1>10.9.0.55 137>137 status 2009 timeout 30 help netbios-ns " +
				"master 17 10.9.0.1>10.9.0.255 137>137",
		}},
		{"10.9.1.56:137", "10.9.0.1:137", "a", engine.Input, []string{
			"NEW 17 10.9.1.56>10.9.0.1 137>137 reply 17 10.9.0.1>10.9.1.56 137>137 status 2008 timeout 30 help netbios-ns",
		}},
		{"10.9.0.1:137", "10.9.0.255:137", "a", engine.Output, []string{
			"EXP_DESTROY 17 10.9.0.255>10.9.0.1 137>137 mask 17 255.255.255.0>255.255.255.255 65535>65535 timeout 3 flags 1 " +
				"class 0 help netbios-ns",
			"EXP_NEW 17 10.9.0.255>10.9.0.1 137>137 mask 17 255.255.255.0>255.255.255.255 65535>65535 timeout 3 flags 1 " +
				"class 0 help netbios-ns",
		}},
		{"10.9.0.1:4444", "10.9.0.255:161", "a", engine.Output, []string{
			"NEW 17 10.9.0.1>10.9.0.255 4444>161 reply 17 10.9.0.255>10.9.0.1 161>4444 status 2008 timeout 30 help snmp",
			"EXP_NEW 17 10.9.0.255>10.9.0.1 161>4444 mask 17 255.255.255.0>255.255.255.255 65535>65535 timeout 30 flags 1 " +
				"class 0 help snmp",
		}},
		{"10.8.0.1:5138", "10.8.255.255:137", "b", engine.Output, []string{
			"NEW 17 10.8.0.1>10.8.255.255 5138>137 reply 17 10.8.255.255>10.8.0.1 137>5138 status 2008 timeout 30 " +
				"help netbios-ns",
			"EXP_NEW 17 10.8.255.255>10.8.0.1 137>5138 mask 17 255.255.0.0>255.255.255.255 65535>65535 timeout 3 flags 1 " +
				"class 0 help netbios-ns",
		}},
		{"10.9.0.1:5139", "255.255.255.255:137", "a", engine.Output, []string{
			"NEW 17 10.9.0.1>255.255.255.255 5139>137 reply 17 255.255.255.255>10.9.0.1 137>5139 status 2008 timeout 30 " +
				"help netbios-ns",
		}},
		{"10.9.0.1:5140", "10.9.0.5:137", "a", engine.Output, []string{
			"NEW 17 10.9.0.1>10.9.0.5 5140>137 reply 17 10.9.0.5>10.9.0.1 137>5140 status 2008 timeout 30 help netbios-ns",
		}},
	} {
		b := packets.UDP{Src: packets.Port(tt.from), Dst: packets.Port(tt.to), Data: []byte("x")}.Bytes()
		v := l.table.Track(&engine.Packet{Data: b, Time: l.now, Where: tt.where, Out: tt.dev})
		if got := l.events(); !slices.Equal(got, tt.want) {
			t.Errorf("%s > %s: %v\n%q, want\n%q", tt.from, tt.to, v.State, got, tt.want)
		}
	}
	// The broadcast's entry ends with its expectation.
	l.now = l.now.Add(4 * time.Second)
	v, _ := l.send(packets.UDP{Src: packets.Port("10.9.0.57:137"), Dst: packets.Port("10.9.0.1:137")}.Bytes(), "a")
	if v.State != engine.StateNew {
		t.Errorf("an answer after 4 seconds is %v", v.State)
	}
	v, _ = l.send(packets.UDP{Src: packets.Port("10.9.0.57:161"), Dst: packets.Port("10.9.0.1:4444")}.Bytes(), "a")
	if v.State != engine.StateRelated {
		t.Errorf("an answer of SNMP is %v", v.State)
	}
}

// TestHelpersAllocateNothing: a packet that announces no connection is read without
// allocating memory.
func TestHelpersAllocateNothing(t *testing.T) {
	tab := engine.New(engine.Options{Rules: helperRules{}})
	c, s := packets.Addr("10.0.0.2"), packets.Addr("192.0.2.2")
	udp := func(port uint16, data string) []byte {
		return packets.UDP{Src: addrPort(c, 4000), Dst: addrPort(s, port), Data: []byte(data)}.Bytes()
	}
	all := [][]byte{
		udp(5060, "OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:4000\r\nCSeq: 1 OPTIONS\r\n\r\n"),
		udp(5060, "SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\nContact: <sip:a@10.0.0.2>\r\n\r\n"),
		udp(10080, "Amanda 2.4 REQ\n"), udp(69, "\x00\x03data"), udp(137, "x"),
	}
	l := &helperLab{T: t, table: tab, heard: listener(t, tab), now: time.Unix(1_700_000_000, 0)}
	x := l.control(false, 21, 1024)
	x.say(1, packets.ACK, "220 hi\r\n")
	x.say(0, packets.ACK, "USER a\r\n")
	line := packets.TCP{Src: x.ends[0], Dst: x.ends[1], Flags: packets.ACK, Seq: x.next[0], Ack: x.next[1],
		Data: []byte("PORT 10,0,0,3,100,5\r\n")}.Bytes()
	all = append(all, line)
	in := engine.Packet{Time: l.now, In: "a", Out: "b"}
	for i, b := range all {
		in.Data = b
		tab.Track(&in)
		if n := testing.AllocsPerRun(100, func() { tab.Track(&in) }); n != 0 {
			t.Errorf("packet %d: %v allocations", i, n)
		}
	}
}
