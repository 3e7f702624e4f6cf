package engine_test

import (
	"bytes"
	enchex "encoding/hex"
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// TestTranslateErrors: an ICMP error about a translated packet tells the client of
// its own packet, as Linux 6.18 did for as many bytes of each protocol. It is
// dropped if too little is quoted to translate it.
func TestTranslateErrors(t *testing.T) {
	type of func(src, dst netip.AddrPort) []byte
	gre := func(version uint8) of {
		return func(src, dst netip.AddrPort) []byte {
			return packets.GRE{Src: src.Addr(), Dst: dst.Addr(), Version: version, CallID: 9, Data: []byte("12345678")}.Bytes()
		}
	}
	echo := func(src, dst netip.AddrPort) []byte { return packets.Echo(src.Addr(), dst.Addr(), 7, 1, false).Bytes() }
	for _, tt := range []struct {
		name  string
		first of
		least int // bytes of the quoted packet
		cut   bool
	}{
		{"udp", udpOf, 28, false},
		{"udp without checksum", udpNoSum, 28, false},
		{"tcp", tcpOf(packets.SYN, 5, 0), 28, true},
		{"icmp", echo, 28, false},
		{"esp", espOf, 20, false},
		{"gre", gre(0), 28, false},
		{"gre of pptp", gre(1), 28, false},
	} {
		for _, n := range []int{24, 26, 27, 28, 32, 39, 40, 1000} {
			r := newNATTable(t, engine.Options{}, toMapped())
			sent := tt.first(client1, server)
			left := bytes.Clone(r.from("a", sent).Leaves[0])
			n = min(n, len(left))
			v := r.from("b", packets.Error(server.Addr(), mapped.Addr(), 3, 3, left, n).Bytes())
			if n < tt.least {
				if v.Fate != engine.Dropped && v.State != engine.StateInvalid {
					t.Errorf("%s, %d bytes: %v, %v", tt.name, n, v.State, v.Fate)
				}
				continue
			}
			if tt.cut && n < 40 { // TCP's checksum is not part of it
				copy(sent[36:], left[36:38])
			}
			want := packets.Error(server.Addr(), client1.Addr(), 3, 3, sent, n).Bytes()
			if v.State != engine.StateRelated || len(v.Leaves) != 1 || !bytes.Equal(v.Leaves[0], want) {
				t.Errorf("%s, %d bytes: %v, %v, leaves\n%x, want\n%x", tt.name, n, v.State, v.Fate, v.Leaves, want)
			}
		}
	}
}

// TestTranslateSCTPErrors: the checksum of a quoted SCTP packet is computed anew
// over what is quoted, so that it is right only if that is all.
func TestTranslateSCTPErrors(t *testing.T) {
	for n, want := range map[int]string{
		28: "00000000", 32: "00000000f6f3f34e", 40: "00000000c449551c0100001400000005",
		52: "00000000df58c69c01000014000000050000ffff0001000100000001",
	} {
		r := newNATTable(t, engine.Options{}, toMapped())
		first := packets.SCTP{Src: client1, Dst: server, Chunks: []packets.Chunk{packets.InitChunk(packets.ChunkInit, 5)}}
		left := bytes.Clone(r.from("a", first.Bytes()).Leaves[0])
		v := r.from("b", packets.Error(server.Addr(), mapped.Addr(), 3, 3, left, n).Bytes())
		if len(v.Leaves) != 1 {
			t.Errorf("%d bytes: %v, %v", n, v.State, v.Reason)
			continue
		}
		got := v.Leaves[0][28:]
		if b, _ := enchex.DecodeString(want); !bytes.Equal(got[24:], b) || !bytes.Equal(got[:24], first.Bytes()[:24]) {
			t.Errorf("%d bytes: quotes %x, want …%s", n, got, want)
		}
	}
}

// TestTranslateErrorsOutside: the other ends of errors. One by a router leaves
// with the address that the client knows, one from inside with the mapped one.
func TestTranslateErrorsOutside(t *testing.T) {
	router, inner := packets.Addr("192.0.2.254"), packets.Addr("10.0.0.254")
	virtual := packets.Port("203.0.113.9:53")
	n := newNATTable(t, engine.Options{}, toMapped(),
		natRule{hook: engine.Prerouting, dst: virtual, to: translation(engine.DNAT, "192.0.2.2", "")})
	sent := udpOf(client1, virtual)
	left := bytes.Clone(n.from("a", sent).Leaves[0])
	for _, by := range []netip.Addr{server.Addr(), router} {
		n.pass("b", packets.Error(by, mapped.Addr(), 11, 0, left, 0).Bytes(),
			packets.Error(virtual.Addr(), client1.Addr(), 11, 0, sent, 0).Bytes())
	}
	answer := udpOf(server, mapped)
	back := bytes.Clone(n.from("b", answer).Leaves[0])
	for _, by := range []netip.Addr{client1.Addr(), inner} {
		v := n.pass("a", packets.Error(by, virtual.Addr(), 3, 3, back, 0).Bytes(),
			packets.Error(mapped.Addr(), server.Addr(), 3, 3, answer, 0).Bytes())
		if v.Reply {
			t.Errorf("an error about an answer is of the reply direction")
		}
	}

	for _, tt := range []struct {
		name string
		p    packets.ICMP
		want engine.ReasonCode
	}{
		{"redirect", packets.Error(router, mapped.Addr(), 5, 1, left, 0), engine.RedirectTranslated},
		{"wrong checksum", func() packets.ICMP {
			p := packets.Error(router, mapped.Addr(), 3, 3, left, 0)
			p.Sum.Bad = true
			return p
		}(), engine.ErrorChecksum},
	} {
		sysctls := engine.DefaultSysctls()
		sysctls.Checksum = false
		m := newNATTable(t, engine.Options{Sysctls: sysctls}, n.rules.rules...)
		m.from("a", sent)
		if v := m.from("b", tt.p.Bytes()); v.Fate != engine.Dropped || v.Reason.Code != tt.want || v.State != engine.StateRelated {
			t.Errorf("%s: %v, %v, %v", tt.name, v.State, v.Fate, v.Reason)
		}
	}
}
