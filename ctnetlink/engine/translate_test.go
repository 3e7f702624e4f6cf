package engine_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// natRules is a ruleset with chains of type nat only.
type natRules struct {
	rules []natRule
	gone  bool // the chains were deleted
}

// natRule is one rule: packets to an address and port, unless those are zero, are
// translated.
type natRule struct {
	hook engine.Hook
	in   string     // the incoming interface; "": any
	src  netip.Addr // with its network of 24 bits, if it ends in 0
	dst  netip.AddrPort
	to   engine.Translation
	drop bool
}

func (r *natRules) Run(engine.Hook, int32, int32, engine.Meta) engine.Action { return engine.Accept }

func (r *natRules) HasNAT(ctnetlink.Family) bool { return !r.gone }

func (r *natRules) NAT(h engine.Hook, m engine.Meta, to *engine.Translation) (engine.Action, bool) {
	for i := range r.rules {
		rule := &r.rules[i]
		b := m.Data()
		dst, _ := netip.AddrFromSlice(b[16:20])
		if b[0]>>4 == 6 {
			dst, _ = netip.AddrFromSlice(b[24:40])
		}
		port := rule.dst.Port()
		if rule.src.IsValid() {
			src, _ := netip.AddrFromSlice(b[12:16])
			if net, _ := src.Prefix(24); src != rule.src && net.Addr() != rule.src {
				continue
			}
		}
		if h != rule.hook || rule.in != "" && rule.in != m.In() || rule.dst.Addr().IsValid() && rule.dst.Addr() != dst ||
			port != 0 && (m.Transport()[2] != byte(port>>8) || m.Transport()[3] != byte(port)) {
			continue
		}
		if rule.drop {
			return engine.Drop, false
		}
		*to = rule.to
		return engine.Accept, true
	}
	return engine.Accept, false
}

// translation returns what "snat to ADDR" and the like say; ports may be 0.
func translation(kind engine.TranslationKind, low, high string, ports ...uint16) engine.Translation {
	to := engine.Translation{Kind: kind}
	if low != "" {
		to.MinAddr = packets.Addr(low)
		to.MaxAddr = to.MinAddr
	}
	if high != "" {
		to.MaxAddr = packets.Addr(high)
	}
	if len(ports) == 2 {
		to.HasPorts, to.MinPort, to.MaxPort = true, ports[0], ports[1]
	}
	return to
}

// nattable is a table in a router between the interfaces a (10.0.0.1) and
// b (192.0.2.1), as the packets in these tests meet it.
type nattable struct {
	t *testing.T
	*engine.Table
	conn  *ctnetlink.Conn
	rules *natRules
	now   time.Time
}

func newNATTable(t *testing.T, o engine.Options, rules ...natRule) *nattable {
	r := &natRules{rules: rules}
	o.Rules = r
	o.Host = engine.Host{Addrs: []engine.Addr{
		{Interface: "a", Prefix: netip.MustParsePrefix("10.0.0.1/32")},
		{Interface: "b", Prefix: netip.MustParsePrefix("192.0.2.1/32")},
		{Interface: "a", Prefix: netip.MustParsePrefix("fd00:a::1/128")},
		{Interface: "b", Prefix: netip.MustParsePrefix("fd00:b::1/128")},
	}}
	n := &nattable{t: t, rules: r, now: time.Unix(1000, 0)}
	o.Now, o.AlwaysEvents = func() time.Time { return n.now }, true
	n.Table = engine.New(o)
	n.conn = client(t, n.Table)
	return n
}

// counters returns the counters of -S.
func (n *nattable) counters() map[string]uint32 {
	n.t.Helper()
	m := map[string]uint32{}
	for s, err := range n.conn.Stats() {
		if err != nil {
			n.t.Fatal(err)
		}
		for _, c := range s.Counters {
			m[c.Name] += c.Value
		}
	}
	return m
}

// fixTimeouts gives all entries FIXED_TIMEOUT.
func (n *nattable) fixTimeouts() {
	n.t.Helper()
	for f, err := range n.conn.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			n.t.Fatal(err)
		}
		status, _ := f.Status()
		s := &ctnetlink.FlowSpec{Family: 2, Orig: *f.Orig(), Status: status | ctnetlink.StatusFixedTimeout}
		s.Set = s.Set.With(ctnetlink.AttrStatus)
		if err := client(n.t, n.Table).Update(s); err != nil {
			n.t.Fatal(err)
		}
	}
}

// from sends a packet in at an interface.
func (n *nattable) from(in string, data []byte) *engine.Verdict {
	n.t.Helper()
	out := map[string]string{"a": "b", "b": "a"}[in]
	kept := bytes.Clone(data)
	v := n.Track(&engine.Packet{Data: data, Time: n.now, In: in, Out: out})
	if !bytes.Equal(data, kept) {
		n.t.Fatalf("Track changed the sender's packet %s", packets.Describe(kept))
	}
	return v
}

// pass sends a packet in and checks how it leaves.
func (n *nattable) pass(in string, packet, want []byte) *engine.Verdict {
	n.t.Helper()
	v := n.from(in, packet)
	if len(v.Leaves) != 1 {
		n.t.Fatalf("%s: %d packets leave: %v, %v", packets.Describe(packet), len(v.Leaves), v.Fate, v.Reason)
	}
	if got := v.Leaves[0]; !bytes.Equal(got, want) {
		n.t.Fatalf("%s:\nleaves  %s\n%x, want\n%x %s", packets.Describe(packet), packets.Describe(got), got, want,
			packets.Describe(want))
	}
	if want := engine.Forwarded; bytes.Equal(packet, v.Leaves[0]) {
		if v.Fate != want {
			n.t.Errorf("%s: fate %v, want %v", packets.Describe(packet), v.Fate, want)
		}
	} else if v.Fate != engine.Translated {
		n.t.Errorf("%s: fate %v, want translated", packets.Describe(packet), v.Fate)
	}
	return v
}

// entry returns a verdict's entry: the reply tuple and the status.
func (n *nattable) entry(v *engine.Verdict) string {
	n.t.Helper()
	if v.Entry.IsZero() {
		return "none"
	}
	var f ctnetlink.Flow
	if err := f.Decode(v.Entry.Append(nil)); err != nil {
		n.t.Fatal(err)
	}
	return fmt.Sprintf("%s %#x", f.Reply(), uint32(v.Entry.Status()))
}

var (
	client1, client2 = packets.Port("10.0.0.2:1000"), packets.Port("10.0.0.3:1000")
	server           = packets.Port("192.0.2.2:53")
	mapped           = packets.Port("198.51.100.7:1000")
)

func toMapped(ports ...uint16) natRule {
	return natRule{hook: engine.Postrouting, to: translation(engine.SNAT, "198.51.100.7", "", ports...)}
}

// TestTranslateProtocols: every protocol is translated and back, with right
// checksums.
func TestTranslateProtocols(t *testing.T) {
	type of func(src, dst netip.AddrPort) []byte
	for _, tt := range []struct {
		name    string
		to, fro of
	}{
		{"udp", udpOf, udpOf},
		{"udp without checksum", udpNoSum, udpNoSum},
		{"tcp", tcpOf(packets.SYN, 100, 0), tcpOf(packets.SYN|packets.ACK, 500, 101)},
		{"generic", espOf, espOf},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNATTable(t, engine.Options{}, toMapped())
			v := n.pass("a", tt.to(client1, server), tt.to(mapped, server))
			if v.State != engine.StateNew || v.Reply {
				t.Errorf("first packet: %v, reply %v", v.State, v.Reply)
			}
			v = n.pass("b", tt.fro(server, mapped), tt.fro(server, client1))
			if v.State != engine.StateEstablished || !v.Reply {
				t.Errorf("answer: %v, reply %v", v.State, v.Reply)
			}
		})
	}
}

func udpOf(src, dst netip.AddrPort) []byte {
	return packets.UDP{Src: src, Dst: dst, Data: []byte("odd")}.Bytes()
}

func udpNoSum(src, dst netip.AddrPort) []byte {
	return packets.UDP{Src: src, Dst: dst, Data: []byte("odd"), Sum: packets.Sum{None: true}}.Bytes()
}

func tcpOf(flags uint8, seq, ack uint32) func(src, dst netip.AddrPort) []byte {
	return func(src, dst netip.AddrPort) []byte {
		return packets.TCP{Src: src, Dst: dst, Flags: flags, Seq: seq, Ack: ack}.Bytes()
	}
}

func espOf(src, dst netip.AddrPort) []byte {
	return packets.IP{Src: src.Addr(), Dst: dst.Addr(), Proto: packets.ProtoESP, Payload: []byte("12345678")}.Bytes()
}
