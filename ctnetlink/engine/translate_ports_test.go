package engine_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// leaves returns the source and destination of the packet that a verdict lets
// leave, "" if there is none.
func leaves(v *engine.Verdict) string {
	if len(v.Leaves) == 0 {
		return ""
	}
	b := v.Leaves[0]
	h := int(b[0]&15) * 4
	port := func(i int) uint16 { return uint16(b[h+i])<<8 | uint16(b[h+i+1]) }
	src, dst := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	if b[9] == packets.ProtoICMP {
		return fmt.Sprintf("%v>%v %d", src, dst, port(4))
	}
	return fmt.Sprintf("%v:%d>%v:%d", src, port(0), dst, port(2))
}

// TestTranslateAddressRange: the address of a range is the one that Linux 6.18
// chose, for a source and for a destination, with persistent or without.
func TestTranslateAddressRange(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the choice depends on the byte order, and was measured on a little endian machine")
	}
	snat := translation(engine.SNAT, "198.51.100.0", "198.51.100.255")
	dnat := translation(engine.DNAT, "192.0.2.3", "192.0.2.200")
	for _, tt := range []struct {
		client, server     string
		src, keepsSrc      string
		dst, dstPersistent string
	}{
		{"10.0.0.2", "192.0.2.2", "198.51.100.107", "198.51.100.250", "192.0.2.85", "192.0.2.196"},
		{"10.0.0.2", "8.8.8.8", "", "198.51.100.250", "192.0.2.90", "192.0.2.196"},
		{"10.0.0.3", "192.0.2.2", "198.51.100.253", "198.51.100.212", "192.0.2.198", "192.0.2.167"},
		{"10.0.0.3", "8.8.8.8", "", "198.51.100.212", "192.0.2.155", "192.0.2.167"},
		{"10.1.2.3", "192.0.2.2", "198.51.100.176", "198.51.100.216", "192.0.2.139", "192.0.2.170"},
		{"10.1.2.3", "8.8.8.8", "", "198.51.100.216", "192.0.2.79", "192.0.2.170"},
	} {
		query := udpOf(netip.AddrPortFrom(packets.Addr(tt.client), 1000), netip.AddrPortFrom(packets.Addr(tt.server), 53))
		for i, want := range []string{tt.src, tt.keepsSrc, tt.dst, tt.dstPersistent} {
			rule := natRule{hook: engine.Postrouting, to: snat}
			from, to := want, tt.server
			if i >= 2 {
				rule = natRule{hook: engine.Prerouting, to: dnat}
				from, to = tt.client, want
			}
			rule.to.Persistent = i%2 == 1
			n := newNATTable(t, engine.Options{}, rule)
			if got := leaves(n.from("a", query)); want != "" && got != from+":1000>"+to+":53" {
				t.Errorf("%s to %s, persistent %v: %s, want %s", tt.client, tt.server, rule.to.Persistent, got, want)
			}
		}
	}
}

// TestTranslatePorts: ports and ids as Linux 6.18 chose them, and the counters
// found, insert_failed and drop of what it tried. The search begins at the first
// port of a range, or where draw says.
func TestTranslatePorts(t *testing.T) {
	type step struct {
		in     string
		packet []byte
		want   string // how it leaves; "": dropped
		found  uint32
	}
	udp := func(src, dst string) []byte { return udpOf(packets.Port(src), packets.Port(dst)) }
	syn := func(src, dst string, seq uint32) []byte {
		return tcpOf(packets.SYN, seq, 0)(packets.Port(src), packets.Port(dst))
	}
	echo := func(src, dst string, id uint16) []byte {
		return packets.Echo(packets.Addr(src), packets.Addr(dst), id, 1, false).Bytes()
	}
	const s, d = engine.Postrouting, engine.Prerouting
	rule := func(h engine.Hook, to engine.Translation) natRule { return natRule{hook: h, to: to} }
	random := func(to engine.Translation) engine.Translation { to.Random = true; return to }
	for _, tt := range []struct {
		name  string
		rules []natRule
		draw  []uint16
		steps []step
	}{
		{"kept", []natRule{toMapped()}, nil, []step{
			{"a", udp("10.0.0.2:1000", "192.0.2.2:53"), "198.51.100.7:1000>192.0.2.2:53", 0},
			{"a", udp("10.0.0.3:1000", "192.0.2.3:53"), "198.51.100.7:1000>192.0.2.3:53", 0},
			{"a", udp("10.0.0.4:0", "192.0.2.2:53"), "198.51.100.7:0>192.0.2.2:53", 0},
			{"a", syn("10.0.0.5:1000", "192.0.2.2:53", 1), "198.51.100.7:1000>192.0.2.2:53", 0},
		}},
		{"taken, by class", []natRule{toMapped()}, []uint16{700, 5, 3000, 700}, []step{
			{"a", udp("10.0.0.2:1000", "192.0.2.2:53"), "198.51.100.7:1000>192.0.2.2:53", 0},
			{"a", udp("10.0.0.3:1000", "192.0.2.2:53"), "198.51.100.7:700>192.0.2.2:53", 1},
			{"a", udp("10.0.0.2:80", "192.0.2.2:53"), "198.51.100.7:80>192.0.2.2:53", 0},
			{"a", udp("10.0.0.3:80", "192.0.2.2:53"), "198.51.100.7:5>192.0.2.2:53", 1},
			{"a", udp("10.0.0.2:2000", "192.0.2.2:53"), "198.51.100.7:2000>192.0.2.2:53", 0},
			{"a", udp("10.0.0.3:2000", "192.0.2.2:53"), "198.51.100.7:3000>192.0.2.2:53", 1},
			{"a", udp("10.0.0.4:1000", "192.0.2.2:53"), "198.51.100.7:701>192.0.2.2:53", 2},
		}},
		{"a range, UDP", []natRule{toMapped(2000, 2002)}, []uint16{2001, 2001, 2001, 2000}, []step{
			{"a", udp("10.0.0.2:1000", "192.0.2.2:53"), "198.51.100.7:2001>192.0.2.2:53", 0},
			{"a", udp("10.0.0.3:1000", "192.0.2.2:53"), "198.51.100.7:2002>192.0.2.2:53", 1},
			{"a", udp("10.0.0.4:2000", "192.0.2.2:53"), "198.51.100.7:2000>192.0.2.2:53", 0},
			{"a", udp("10.0.0.5:1000", "192.0.2.2:53"), "", 3},
			{"a", udp("10.0.0.5:1000", "192.0.2.2:53"), "", 3},
		}},
		{"a range, TCP", []natRule{toMapped(2000, 2001)}, []uint16{2001, 2001, 2001}, []step{
			{"a", syn("10.0.0.2:1000", "192.0.2.2:53", 1), "198.51.100.7:2001>192.0.2.2:53", 0},
			{"a", syn("10.0.0.3:1000", "192.0.2.2:53", 1), "198.51.100.7:2000>192.0.2.2:53", 0},
			{"a", syn("10.0.0.4:1000", "192.0.2.2:53", 1), "", 0},
		}},
		{"random", []natRule{rule(s, random(toMapped(2000, 2010).to))}, []uint16{2005, 2005}, []step{
			{"a", udp("10.0.0.2:2000", "192.0.2.2:53"), "198.51.100.7:2005>192.0.2.2:53", 0},
			{"a", udp("10.0.0.3:2000", "192.0.2.2:53"), "198.51.100.7:2006>192.0.2.2:53", 1},
		}},
		{"ids", []natRule{toMapped()}, []uint16{300}, []step{
			{"a", echo("10.0.0.2", "192.0.2.2", 7), "198.51.100.7>192.0.2.2 7", 0},
			{"a", echo("10.0.0.3", "192.0.2.2", 7), "198.51.100.7>192.0.2.2 300", 1},
		}},
		{"ids of a destination", []natRule{rule(d, translation(engine.DNAT, "192.0.2.9", ""))}, nil, []step{
			{"a", echo("10.0.0.2", "192.0.2.20", 7), "10.0.0.2>192.0.2.9 7", 0},
			{"a", echo("10.0.0.2", "192.0.2.21", 7), "10.0.0.2>192.0.2.9 0", 1},
			{"a", echo("10.0.0.2", "192.0.2.22", 7), "10.0.0.2>192.0.2.9 1", 2},
		}},
		{"destination ports, UDP", []natRule{rule(d, translation(engine.DNAT, "192.0.2.9", "", 80, 82))}, []uint16{736}, []step{
			{"a", udp("10.0.0.2:1000", "192.0.2.20:53"), "10.0.0.2:1000>192.0.2.9:80", 0},
			{"a", udp("10.0.0.2:1000", "192.0.2.21:53"), "10.0.0.2:1000>192.0.2.9:81", 1},
			{"a", udp("10.0.0.2:1000", "192.0.2.22:53"), "10.0.0.2:1000>192.0.2.9:82", 2},
			{"a", udp("10.0.0.2:1000", "192.0.2.23:53"), "10.0.0.2:736>192.0.2.9:82", 5},
		}},
		{"destination ports, TCP", []natRule{rule(d, translation(engine.DNAT, "192.0.2.9", "", 80, 82))}, []uint16{875}, []step{
			{"a", syn("10.0.0.2:1000", "192.0.2.20:53", 1), "10.0.0.2:1000>192.0.2.9:80", 0},
			{"a", syn("10.0.0.2:1000", "192.0.2.21:53", 1), "10.0.0.2:1000>192.0.2.9:81", 0},
			{"a", syn("10.0.0.2:1000", "192.0.2.22:53", 1), "10.0.0.2:1000>192.0.2.9:82", 0},
			{"a", syn("10.0.0.2:1000", "192.0.2.23:53", 1), "10.0.0.2:875>192.0.2.9:82", 2},
		}},
		{"destination ports, random", []natRule{rule(d, random(translation(engine.DNAT, "192.0.2.9", "", 80, 82)))}, []uint16{82, 81, 82},
			[]step{
				{"a", udp("10.0.0.2:1000", "192.0.2.20:53"), "10.0.0.2:1000>192.0.2.9:82", 0},
				{"a", udp("10.0.0.2:1000", "192.0.2.21:53"), "10.0.0.2:1000>192.0.2.9:81", 0},
				{"a", udp("10.0.0.2:1000", "192.0.2.22:53"), "10.0.0.2:1000>192.0.2.9:80", 1},
			}},
		{"null binding", []natRule{{hook: s, src: packets.Addr("10.0.0.2"), to: translation(engine.SNAT, "10.0.0.3", "", 1001, 1001)}},
			[]uint16{749}, []step{
				{"a", udp("10.0.0.2:1001", "192.0.2.2:53"), "10.0.0.3:1001>192.0.2.2:53", 0},
				{"a", udp("10.0.0.3:1001", "192.0.2.2:80"), "10.0.0.3:1001>192.0.2.2:80", 0},
				{"a", udp("10.0.0.3:1001", "192.0.2.2:53"), "10.0.0.3:749>192.0.2.2:53", 3},
			}},
		{"addresses without ports", []natRule{toMapped()}, nil, []step{
			{"a", packets.GRE{Src: packets.Addr("10.0.0.2"), Dst: packets.Addr("192.0.2.2"), Data: []byte("12345678")}.Bytes(),
				"198.51.100.7:0>192.0.2.2:2048", 0},
			{"a", packets.GRE{Src: packets.Addr("10.0.0.3"), Dst: packets.Addr("192.0.2.2"), Data: []byte("12345678")}.Bytes(), "", 1},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			draw := tt.draw
			o := engine.Options{Draw: func(first, last uint16, _ bool) uint16 {
				if len(draw) == 0 {
					return first
				}
				p := draw[0]
				draw = draw[1:]
				if p < first || p > last {
					t.Errorf("draws from %d to %d, want %d among them", first, last, p)
				}
				return p
			}}
			n := newNATTable(t, o, tt.rules...)
			for i, step := range tt.steps {
				before := n.counters()
				v := n.from(step.in, step.packet)
				if got := leaves(v); got != step.want {
					t.Errorf("%d. %s leaves as %s, want %s", i+1, packets.Describe(step.packet), got, step.want)
				}
				want := maps.Clone(before)
				want["found"] += step.found
				if step.want == "" {
					want["insert_failed"]++
					want["drop"]++
					if v.Reason.Code != engine.NATFull {
						t.Errorf("%d. %s: reason %v", i+1, packets.Describe(step.packet), v.Reason)
					}
				}
				if got := n.counters(); !maps.Equal(got, want) {
					t.Errorf("%d. %s: counters %v, want %v", i+1, packets.Describe(step.packet), got, want)
				}
			}
		})
	}
}

// TestTakeOver: a SYN takes a port of a translated connection that has ended, if
// its sequence number is above those of that one, even while another port is free.
func TestTakeOver(t *testing.T) {
	const c = "10.0.0.2:1000"
	server, m := packets.Port("192.0.2.2:80"), packets.Port("198.51.100.7:2000")
	type packet = packets.TCP
	open := func(src string, seq uint32) []packet {
		return []packet{
			{Src: packets.Port(src), Flags: packets.SYN, Seq: seq},
			{Flags: packets.SYN | packets.ACK, Seq: 5000, Ack: seq + 1},
			{Src: packets.Port(src), Flags: packets.ACK, Seq: seq + 1, Ack: 5001},
		}
	}
	timeWait := append(open(c, 1000),
		packet{Src: packets.Port(c), Flags: packets.FIN | packets.ACK, Seq: 1001, Ack: 5001},
		packet{Flags: packets.FIN | packets.ACK, Seq: 5001, Ack: 1002},
		packet{Src: packets.Port(c), Flags: packets.ACK, Seq: 1002, Ack: 5002})
	for _, tt := range []struct {
		name    string
		before  []packet // those without a source are the server's
		packet  packet
		fixed   bool // FIXED_TIMEOUT
		wants   bool
		toRange uint16
	}{
		{"TIME_WAIT", timeWait, packet{Flags: packets.SYN, Seq: 2000}, false, true, 2000},
		{"TIME_WAIT, the same number", timeWait, packet{Flags: packets.SYN, Seq: 1002}, false, true, 2000},
		{"TIME_WAIT, older", timeWait, packet{Flags: packets.SYN, Seq: 500}, false, false, 2000},
		{"TIME_WAIT, half of all numbers away", timeWait, packet{Flags: packets.SYN, Seq: 1002 + 1<<31 - 1}, false, false, 2000},
		{"TIME_WAIT, FIXED_TIMEOUT", timeWait, packet{Flags: packets.SYN, Seq: 2000}, true, false, 2000},
		{"TIME_WAIT, ACK", timeWait, packet{Flags: packets.ACK, Seq: 2000}, false, false, 2000},
		{"TIME_WAIT, another port is free", timeWait, packet{Flags: packets.SYN, Seq: 2000}, false, true, 2001},
		{"CLOSE", append(open(c, 1000), packet{Flags: packets.RST | packets.ACK, Seq: 5001, Ack: 1001}),
			packet{Flags: packets.SYN, Seq: 2000}, false, true, 2000},
		{"SYN_SENT2", []packet{{Src: packets.Port(c), Flags: packets.SYN, Seq: 1000}, {Flags: packets.SYN, Seq: 5000}},
			packet{Flags: packets.SYN, Seq: 9000}, false, true, 2000},
		{"SYN_SENT", open(c, 1000)[:1], packet{Flags: packets.SYN, Seq: 2000}, false, false, 2000},
		{"ESTABLISHED", open(c, 1000), packet{Flags: packets.SYN, Seq: 2000}, false, false, 2000},
		{"LAST_ACK", timeWait[:5], packet{Flags: packets.SYN, Seq: 2000}, false, false, 2000},
		{"not translated", nil, packet{Flags: packets.SYN, Seq: 2000}, false, false, 2000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rule := toMapped(2000, tt.toRange)
			rule.src = packets.Addr("10.0.0.0")
			n := newNATTable(t, engine.Options{Draw: func(first, last uint16, _ bool) uint16 { return first }}, rule)
			if tt.before == nil { // the same connection by a host that has the address
				for _, p := range timeWait {
					if p.Src.IsValid() {
						p.Src = m
					}
					tt.before = append(tt.before, p)
				}
			}
			for _, p := range tt.before {
				in := "a"
				if p.Dst = server; !p.Src.IsValid() {
					in, p.Src, p.Dst = "b", server, m
				}
				if v := n.from(in, p.Bytes()); v.State == engine.StateInvalid || v.Fate == engine.Dropped {
					t.Fatalf("%s: %v, %v", packets.Describe(p.Bytes()), v.State, v.Reason)
				}
			}
			if tt.fixed {
				n.fixTimeouts()
			}
			l := listener(t, n.Table)
			tt.packet.Src, tt.packet.Dst = packets.Port("10.0.0.3:1001"), server
			v := n.from("a", tt.packet.Bytes())
			got, want := leaves(v), ""
			if tt.wants {
				want = "198.51.100.7:2000>192.0.2.2:80"
			}
			if got != want {
				t.Errorf("%s leaves as %q, want %q: %v", packets.Describe(tt.packet.Bytes()), got, want, v.Reason)
			}
			events, err := heard(t, l)
			if err != nil {
				t.Fatal(err)
			}
			got, want = "", ""
			for _, f := range events {
				got += fmt.Sprint(f.EventType(), " ")
			}
			if tt.wants {
				want = "DESTROY NEW "
			}
			if got != want {
				t.Errorf("events %q, want %q", got, want)
			}
		})
	}
}
