package engine

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/packets"
)

var (
	seqClient = packets.Port("10.0.0.2:1000")
	seqServer = packets.Port("192.0.2.2:21")
)

// adjusted takes a packet of an entry with corrections through adjustSequence.
func adjusted(t *testing.T, adj [2]seqAdj, d direction, data []byte) (p *packet, passes bool) {
	t.Helper()
	tab := New(Options{})
	e := tab.slabs.alloc()
	tab.extend(e).seqAdj = adj
	e.status |= ctnetlink.StatusSeqAdjust
	p = &packet{}
	p.begin(&Packet{Data: data})
	if !tab.enter(p) {
		t.Fatal("no packet")
	}
	p.e, p.dir = e, d
	passes = tab.adjustSequence(p)
	return p, passes
}

// TestAdjustSequence: the numbers that Linux 6.18 wrote after it had made the
// packet at 1009 five bytes longer or one shorter, and that at 1030 five longer.
func TestAdjustSequence(t *testing.T) {
	longer, shorter := seqAdj{1009, 0, 5}, seqAdj{1009, 0, ^uint32(0)}
	twice := seqAdj{1030, 5, 10}
	for _, tt := range []struct {
		adj      seqAdj // of the client
		ack      bool   // a packet of the server, with an acknowledgement
		is, want uint32
	}{
		{longer, false, 1004, 1004},
		{longer, false, 1009, 1009},
		{longer, false, 1010, 1015},
		{longer, false, 1030, 1035},
		{longer, true, 1008, 1008},
		{longer, true, 1009, 1009},
		{longer, true, 1010, 1005},
		{longer, true, 1014, 1009},
		{longer, true, 1015, 1010},
		{longer, true, 1035, 1030},
		{shorter, false, 1009, 1009},
		{shorter, false, 1010, 1009},
		{shorter, true, 1009, 1009},
		{shorter, true, 1010, 1011},
		{shorter, true, 1029, 1030},
		{twice, false, 1030, 1035},
		{twice, false, 1051, 1061},
		{twice, true, 1034, 1029},
		{twice, true, 1035, 1030},
		{twice, true, 1036, 1026},
		{twice, true, 1061, 1051},
	} {
		make := func(n uint32) []byte {
			if tt.ack {
				return packets.TCP{Src: seqServer, Dst: seqClient, Flags: packets.ACK, Seq: 5014, Ack: n}.Bytes()
			}
			return packets.TCP{Src: seqClient, Dst: seqServer, Flags: packets.ACK, Seq: n, Ack: 5014}.Bytes()
		}
		d := original
		if tt.ack {
			d = reply
		}
		p, ok := adjusted(t, [2]seqAdj{original: tt.adj}, d, make(tt.is))
		if want := make(tt.want); !ok || !bytes.Equal(p.data, want) {
			t.Errorf("%+v, ack %t, %d: passes %t,\n%x, want\n%x", tt.adj, tt.ack, tt.is, ok, p.data, want)
		}
		if fate := p.v.Fate; (fate == Translated) != (tt.is != tt.want) {
			t.Errorf("%+v, ack %t, %d: %v", tt.adj, tt.ack, tt.is, fate)
		}
	}
}

// TestAdjustSACK: options as Linux 6.18 changed them. It drops packets with an
// option of a wrong length, and ignores a SACK option that is malformed.
func TestAdjustSACK(t *testing.T) {
	nop := []byte{1, 1}
	option := func(kind, length byte, numbers ...uint32) []byte {
		b := []byte{kind, length}
		for _, n := range numbers {
			b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		}
		return b
	}
	for _, tt := range []struct {
		name     string
		is, want []byte // want nil: dropped
	}{
		{"at the position", packets.SACK([2]uint32{1009, 1012}), packets.SACK([2]uint32{1009, 1007})},
		{"behind it", packets.SACK([2]uint32{1010, 1018}), packets.SACK([2]uint32{1005, 1013})},
		{"two blocks", packets.SACK([2]uint32{1015, 1029}, [2]uint32{1010, 1011}),
			packets.SACK([2]uint32{1010, 1024}, [2]uint32{1005, 1006})},
		{"in front", append(option(5, 10, 1015, 1029), nop...), append(option(5, 10, 1010, 1024), nop...)},
		{"half a block", append(option(5, 6, 1015), nop...), append(option(5, 6, 1015), nop...)},
		{"a block and a half", append(option(5, 14, 1015, 1017, 1029), nop...), append(option(5, 14, 1015, 1017, 1029), nop...)},
		{"behind the end", append([]byte{0, 0, 0, 0}, append(option(5, 10, 1015, 1029), nop...)...),
			append([]byte{0, 0, 0, 0}, append(option(5, 10, 1015, 1029), nop...)...)},
		{"length 1", []byte{3, 1, 1, 1}, nil},
		{"length beyond", []byte{3, 63, 1, 1}, nil},
		{"without length", []byte{1, 1, 1, 5}, nil},
	} {
		make := func(options []byte) []byte {
			return packets.TCP{Src: seqServer, Dst: seqClient, Flags: packets.ACK, Seq: 5014, Ack: 1009, Options: options}.Bytes()
		}
		p, ok := adjusted(t, [2]seqAdj{{1009, 0, 5}}, reply, make(tt.is))
		if ok != (tt.want != nil) || !ok && p.v.Reason.Code != BadTCPOptions {
			t.Errorf("%s: passes %t, %v", tt.name, ok, p.v.Reason)
		}
		if want := make(tt.want); ok && !bytes.Equal(p.data, want) {
			t.Errorf("%s:\n%x, want\n%x", tt.name, p.data, want)
		}
	}
}

// TestReplaceData: lengths and checksums after a change of the data.
func TestReplaceData(t *testing.T) {
	type of func(data string) []byte
	ends := [][2]netip.AddrPort{{seqClient, seqServer}, {packets.Port("[fd00:a::2]:1000"), packets.Port("[fd00:b::2]:21")}}
	for _, e := range ends {
		src, dst := e[0], e[1]
		for name, make := range map[string]of{
			"tcp": func(d string) []byte {
				return packets.TCP{Src: src, Dst: dst, Flags: packets.ACK, Seq: 1009, Ack: 5, Data: []byte(d),
					Options: packets.Timestamps(1, 2)}.Bytes()
			},
			"udp": func(d string) []byte { return packets.UDP{Src: src, Dst: dst, Data: []byte(d)}.Bytes() },
			"udp without checksum": func(d string) []byte {
				return packets.UDP{Src: src, Dst: dst, Data: []byte(d), Sum: packets.Sum{None: true}}.Bytes()
			},
		} {
			for _, tt := range []struct {
				at, n      int
				with, want string
			}{
				{0, 0, "more ", "more PORT 1,2\r\n"},
				{5, 3, "198,51", "PORT 198,51\r\n"},
				{5, 3, "7", "PORT 7\r\n"},
				{5, 3, "3,4", "PORT 3,4\r\n"},
				{8, 2, "", "PORT 1,2"},
				{0, 10, "", ""},
				{0, 11, "x", ""}, // more than there is
				{0, 1, string(bytes.Repeat([]byte("x"), 65535)), ""},
			} {
				const data = "PORT 1,2\r\n"
				sent := make(data)
				tab := New(Options{})
				p := &packet{}
				p.begin(&Packet{Data: sent})
				tab.enter(p)
				p.e = tab.slabs.alloc()
				ok := tab.replaceData(p, tt.at, tt.n, []byte(tt.with), true)
				if wants := tt.n <= len(data) && len(tt.with) < 100; ok != wants {
					t.Fatalf("%s, %+v: %t", name, tt, ok)
				}
				want := sent
				if ok {
					want = make(tt.want)
				}
				if !bytes.Equal(p.data, want) || p.total != len(want) {
					t.Errorf("%s, %d of %d bytes by %q:\n%x, want\n%x", name, tt.n, len(data), tt.with, p.data, want)
				}
				if !bytes.Equal(sent, make(data)) {
					t.Fatalf("%s: the sender's packet was changed", name)
				}
				by := uint32(len(tt.with) - tt.n)
				x := tab.extension(p.e)
				switch shifts := ok && by != 0 && name == "tcp"; {
				case shifts != (p.e.status&ctnetlink.StatusSeqAdjust != 0):
					t.Errorf("%s, %+v: status %#x", name, tt, uint32(p.e.status))
				case shifts && x.seqAdj != [2]seqAdj{{1009, 0, by}}:
					t.Errorf("%s, %+v: %+v", name, tt, x.seqAdj)
				}
			}
		}
	}
}

// TestShift: the corrections that Linux 6.18 showed after two packets became
// longer, and a retransmission of the first.
func TestShift(t *testing.T) {
	tab := New(Options{})
	p := &packet{e: tab.slabs.alloc()}
	for _, tt := range []struct {
		seq  uint32
		by   int
		want seqAdj
	}{
		{1009, 5, seqAdj{1009, 0, 5}},
		{1009, 5, seqAdj{1009, 0, 5}},
		{1030, 5, seqAdj{1030, 5, 10}},
		{1009, 5, seqAdj{1030, 5, 10}},
		{1051, -3, seqAdj{1051, 10, 7}},
	} {
		tab.shift(p, tt.seq, tt.by)
		if got := tab.extension(p.e).seqAdj[original]; got != tt.want {
			t.Errorf("%d bytes at %d: %+v, want %+v", tt.by, tt.seq, got, tt.want)
		}
	}
}
