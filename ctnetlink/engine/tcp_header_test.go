package engine

import (
	"encoding/hex"
	"math/bits"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// segmentOf returns a packet with a TCP header: flags, options in hex, and n
// bytes of data. The sequence numbers are 1000 and 5001, the window is 600.
func segmentOf(flags uint8, options string, n int) *packet {
	o, err := hex.DecodeString(options)
	if err != nil {
		panic(err)
	}
	for len(o)%4 != 0 {
		o = append(o, tcpOptNop)
	}
	b := []byte{0x4e, 0x20, 0, 80, 0, 0, 3, 0xe8, 0, 0, 0x13, 0x89, uint8(20+len(o)) << 2, flags, 2, 0x58, 0, 0, 0, 0}
	b = append(append(b, o...), make([]byte, n)...)
	return &packet{header: header{family: familyIPv4, proto: ctnetlink.ProtoTCP, total: len(b)}, data: b, wireLen: len(b)}
}

// TestTCPFlags compares all combinations with what Linux 6.18 said of them.
func TestTCPFlags(t *testing.T) {
	tab := New(Options{})
	tab.o.Sysctls.Checksum = false
	valid := map[string]bool{"S": true, "SU": true, "SA": true, "A": true, "AU": true, "R": true, "RA": true, "FA": true,
		"FAU": true}
	for f := range 256 {
		name := ""
		for _, x := range []struct {
			bit  int
			name string
		}{{1, "F"}, {2, "S"}, {4, "R"}, {16, "A"}, {32, "U"}} {
			if f&x.bit != 0 {
				name += x.name
			}
		}
		p := segmentOf(uint8(f), "", 3)
		got := checkTCP(tab, p)
		if want := valid[name]; (got.Code == NoReason) != want || got.Code != NoReason && got.Code != BadFlags {
			t.Errorf("flags %#x: reason %d, want valid %t", f, got.Code, want)
		}
		if got.Code == NoReason && p.tcp.end != 1003+uint32(bits.OnesCount8(uint8(f)&3)) {
			t.Errorf("flags %#x: end %d", f, p.tcp.end)
		}
	}
}

// TestTCPOptions: what Linux 6.18 took from options, by the verdict on an ACK
// with a block beyond the data that was sent, and by the scale in the entry.
func TestTCPOptions(t *testing.T) {
	const ok, far = "0000138900001389", "000013890000138a" // edges 5001 and 5002
	for _, c := range []struct {
		name, options string
		sacked        uint32
	}{
		{"one block", "0101050a" + ok, 5001},
		{"one block beyond", "0101050a" + far, 5002},
		{"second block beyond", "01010512" + ok + far, 5002},
		{"length 9", "01010509" + far + "00", 5001},
		{"length 11", "01050b" + far + "00", 5001},
		{"length 14", "0101050e" + far + "00002000", 5001},
		{"length 2, then a block", "0502050a" + far, 5002},
		{"an option of length 0 before", "6300050a" + far, 5001},
		{"an option of length 1 before", "6301050a" + far, 5001},
		{"the end of options before", "0001050a" + far, 5001},
		{"an option beyond the end before", "6320050a" + far, 5001},
		{"time stamps before", "0101080a00000000000000000101050a" + far, 5002},
		{"block beyond the end", "01010512" + far, 5001},
		{"two options, the second is not read", "050a" + ok + "050a" + far, 5001},
		{"+900000000, then +2500000000", "01010512" + "0000000035a4fc89" + "0000000095030c89", 0x95030c89},
		{"-1000000000", "0101050a" + "00000000c4654989", 5001},
		{"+2147483648", "0101050a" + "0000000080001389", 0x80001389},
	} {
		p := segmentOf(tcpACK, c.options, 0)
		if r := checkTCP(noSums(), p); r.Code != NoReason || p.tcp.sacked != c.sacked {
			t.Errorf("%s: %d, reason %d; want %d", c.name, p.tcp.sacked, r.Code, c.sacked)
		}
	}
	for _, c := range []struct {
		name, options string
		has           bool
		scale         uint8
	}{
		{"5", "01030305", true, 5},
		{"0", "01030300", true, 0},
		{"15", "0103030f", true, 14},
		{"255", "010303ff", true, 14},
		{"two options", "0303020303040101", true, 4},
		{"length 4", "03040500", false, 0},
		{"length 2", "03020101", false, 0},
		{"behind the end of options", "00030305", false, 0},
		{"behind an option of length 0", "6300030305010101", false, 0},
		{"without its number", "01010303", false, 0},
		{"behind an option beyond the end", "0220030305010101", false, 0},
		{"without its length", "01010103", false, 0},
	} {
		p := segmentOf(tcpSYN, c.options, 0)
		if r := checkTCP(noSums(), p); r.Code != NoReason || p.tcp.hasScale != c.has || p.tcp.scale != c.scale {
			t.Errorf("scale %s: %t %d, reason %d", c.name, p.tcp.hasScale, p.tcp.scale, r.Code)
		}
	}
	for options, want := range map[string]bool{"01010402": true, "04030001": false} {
		if p := segmentOf(tcpSYN, options, 0); checkTCP(noSums(), p).Code != NoReason || p.tcp.sackOK != want {
			t.Errorf("SACK permitted in %s: %t", options, !want)
		}
	}
}

func TestTCPLengths(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *packet)
		want   ReasonCode
	}{
		{"whole", func(*packet) {}, NoReason},
		{"19 bytes", func(p *packet) { p.total = 19 }, TCPShort},
		{"19 bytes captured", func(p *packet) { p.data = p.data[:19] }, CutShort},
		{"data offset 4", func(p *packet) { p.data[12] = 4 << 4 }, BadDataOffset},
		{"data offset beyond", func(p *packet) { p.data[12] = 9 << 4 }, BadDataOffset},
		{"data offset at the end", func(p *packet) { p.data[12] = 8 << 4 }, NoReason},
		{"options cut", func(p *packet) { p.data = p.data[:22] }, NoReason},
	} {
		p := segmentOf(tcpACK, "01010101", 8)
		c.change(p)
		if r := checkTCP(noSums(), p); r.Code != c.want {
			t.Errorf("%s: reason %d, want %d", c.name, r.Code, c.want)
		} else if r.Code == NoReason && p.tcp.optionsCut != (len(p.data) < 24) {
			t.Errorf("%s: options cut: %t", c.name, p.tcp.optionsCut)
		}
	}
}

// noSums returns a table that verifies no checksums.
func noSums() *Table {
	s := DefaultSysctls()
	s.Checksum = false
	return New(Options{Sysctls: s})
}
