package engine_test

import (
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	pk "github.com/gonntrack/gonntrack/internal/packets"
)

// TestICMPErrors: what Linux 6.18 makes of errors about flows of UDP, ICMP, GRE
// and ESP. name is that of the reason; "": the error is RELATED, and of the reply
// direction if it is about a packet of the original one.
func TestICMPErrors(t *testing.T) {
	udp := func(v6 bool) (there, back []byte) {
		c, s := pk.Port("10.0.0.2:1"), pk.Port("192.0.2.2:2")
		if v6 {
			c, s = pk.Port("[fd00:1::2]:1"), pk.Port("[fd00:2::2]:2")
		}
		return pk.UDP{Src: c, Dst: s, Data: []byte("x")}.Bytes(), pk.UDP{Src: s, Dst: c, Data: []byte("x")}.Bytes()
	}
	udp4, back4 := udp(false)
	udp6, back6 := udp(true)
	echo := pk.Echo(client4, server4, 7, 1, false).Bytes()
	gre := pk.GRE{Src: client4, Dst: server4, Data: []byte("1234")}.Bytes()
	esp := pk.IP{Src: client4, Dst: server4, Proto: pk.ProtoESP, Payload: []byte("12345678")}.Bytes()
	changed := func(p []byte, at int, to byte) []byte {
		p = append([]byte(nil), p...)
		p[at] = to
		return p
	}
	behind := func(x ...pk.Extension) []byte {
		return pk.IP{Src: client6, Dst: server6, Proto: pk.ProtoUDP, Extensions: x, Payload: udp6[40:]}.Bytes()
	}
	other := pk.UDP{Src: pk.Port("10.0.0.2:1"), Dst: pk.Port("192.0.2.2:3")}.Bytes()
	for _, c := range []struct {
		what   string
		about  []byte
		quoted int    // bytes; 0: all
		to     string // "": the source of the quoted packet
		typ    uint8  // 0: unreachable
		name   string
	}{
		{"udp", udp4, 0, "", 0, ""},
		{"udp, ports only", udp4, 24, "", 0, ""},
		{"udp, 3 bytes", udp4, 23, "", 0, "error-quotes-untracked"},
		{"udp, half a header", udp4, 19, "", 0, "error-quotes-little"},
		{"udp, to another", udp4, 0, "10.0.0.3", 0, "error-to-other"},
		{"a reply", back4, 0, "", 0, ""},
		{"quench", udp4, 0, "", 4, ""},
		{"redirect", udp4, 0, "", 5, ""},
		{"unknown flow", other, 0, "", 0, "error-of-unknown"},
		{"unknown flow, to another", other, 0, "10.0.0.3", 0, "error-of-unknown"},
		{"header with a wrong sum", changed(udp4, 10, 1), 0, "", 0, ""},
		{"header of version 5", changed(udp4, 0, 0x55), 0, "", 0, ""},
		{"header too long", changed(udp4, 0, 0x4f), 0, "", 0, "error-quotes-little"},
		{"header too short", changed(esp, 0, 0x40), 0, "", 0, ""},
		{"first fragment", changed(udp4, 6, 0x20), 0, "", 0, ""},
		{"later fragment", changed(udp4, 7, 1), 0, "", 0, "error-quotes-fragment"},
		{"echo", echo, 28, "", 0, ""},
		{"echo, 7 bytes", echo, 27, "", 0, "error-quotes-untracked"},
		{"gre, no header", gre, 20, "", 0, ""},
		{"esp, no header", esp, 20, "", 0, ""},
		{"an error", pk.Error(client4, server4, 3, 1, back4, 0).Bytes(), 0, "", 0, "error-quotes-untracked"},
		{"udp6", udp6, 44, "", 0, ""},
		{"udp6, 3 bytes", udp6, 43, "", 0, "error-quotes-untracked"},
		{"udp6, to another", udp6, 0, "fd00:1::3", 0, "error-to-other"},
		{"a reply of udp6", back6, 0, "", 0, ""},
		{"unknown type", udp6, 0, "", 127, ""},
		{"extension headers", behind(pk.HopByHop(), pk.Destination(), pk.Authentication(1, 1)), 0, "", 0, ""},
		{"extension header, cut", behind(pk.HopByHop()), 47, "", 0, "error-quotes-little"},
		{"first fragment 6", behind(pk.FragmentHeader(5, 0, true)), 0, "", 0, ""},
		{"later fragment 6", behind(pk.FragmentHeader(5, 8, true)), 0, "", 0, "error-quotes-fragment"},
	} {
		tab := engine.New(engine.Options{})
		for _, p := range [][]byte{udp4, udp6, echo, gre, esp} {
			track(t, tab, p)
		}
		v6 := c.about[0]>>4 == 6
		src, dst, typ := pk.Addr("192.0.2.99"), client4, uint8(3)
		if v6 {
			src, dst, typ = pk.Addr("fd00:2::99"), client6, 1
		}
		reply := true
		switch string(c.about) {
		case string(back4):
			src, dst, reply = pk.Addr("10.0.0.99"), server4, false
		case string(back6):
			src, dst, reply = pk.Addr("fd00:1::99"), server6, false
		}
		if c.to != "" {
			dst = pk.Addr(c.to)
		}
		if c.typ != 0 {
			typ = c.typ
		}
		v := track(t, tab, pk.Error(src, dst, typ, 1, c.about, c.quoted).Bytes())
		switch {
		case c.name == "" && (v.State != engine.StateRelated || v.Reply != reply || v.Entry.IsZero()):
			t.Errorf("%s: %s, reply %t: %s", c.what, v.State, v.Reply, v.Reason)
		case c.name != "" && (v.State != engine.StateInvalid || v.Reason.Code.Name() != c.name):
			t.Errorf("%s: %s, reason %s: %s", c.what, v.State, v.Reason.Code.Name(), v.Reason)
		}
	}
}

// TestKeysAndCoverage: the entries that Linux 6.18 makes for packets of GRE and
// UDPlite, or INVALID.
func TestKeysAndCoverage(t *testing.T) {
	lite := func(coverage uint16, proto uint8) []byte {
		return pk.UDPLite{Src: pk.Port("10.0.0.2:5"), Dst: pk.Port("192.0.2.2:6"), Data: []byte("abcdefgh"),
			Coverage: coverage, PseudoProto: proto}.Bytes()
	}
	gre := func(version uint8, proto, cut int) []byte {
		return pk.GRE{Src: client4, Dst: server4, Version: version, Proto: proto, CallID: 9, Cut: cut}.Bytes()
	}
	const invalid = "INVALID"
	for _, c := range []struct {
		what string
		p    []byte
		want string // the original tuple
	}{
		{"gre 0", gre(0, 0, 0), "47 10.0.0.2>192.0.2.2 0>0"},
		{"gre 1", gre(1, 0, 0), "47 10.0.0.2>192.0.2.2 0>9"},
		{"gre 1, 7 bytes", gre(1, 0, 7), "47 10.0.0.2>192.0.2.2 0>0"},
		{"gre 1, another protocol", gre(1, 0x800, 0), invalid},
		{"gre 2", gre(2, 0x880b, 0), "47 10.0.0.2>192.0.2.2 0>0"},
		{"udplite summed as UDP", lite(0, 17), "136 10.0.0.2>192.0.2.2 5>6"},
		{"udplite summed right", lite(0, 136), invalid},
		{"coverage 7", lite(7, 17), invalid},
		{"coverage 8", lite(8, 17), "136 10.0.0.2>192.0.2.2 5>6"},
		{"coverage 16", lite(16, 17), "136 10.0.0.2>192.0.2.2 5>6"},
		{"coverage 17", lite(17, 17), invalid},
		{"icmpv6 over IPv4", pk.IP{Src: client4, Dst: server4, Proto: 58, Payload: make([]byte, 8)}.Bytes(), invalid},
		{"icmp over IPv6", pk.IP{Src: client6, Dst: server6, Proto: 1, Payload: make([]byte, 8)}.Bytes(), invalid},
	} {
		l := newHelperLab(t, engine.Options{})
		v, _ := l.send(c.p, "a")
		got := v.State.String()
		if v.State == engine.StateNew {
			var f ctnetlink.Flow
			if err := f.Decode(v.Entry.Append(nil)); err != nil {
				t.Fatal(err)
			}
			got = tupleText(f.Orig())
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
