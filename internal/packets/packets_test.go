package packets

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// TestBytes compares packets with those of another program.
func TestBytes(t *testing.T) {
	c4, s4 := Port("10.0.0.2:1000"), Port("192.0.2.2:80")
	d4 := Port("192.0.2.2:53")
	c6, s6 := Port("[fd00:a::2]:1000"), Port("[fd00:b::2]:53")
	got := map[string]interface{ Bytes() []byte }{
		"tcp4": TCP{Src: c4, Dst: s4, Flags: SYN, Seq: 1, Data: []byte("abc"),
			Options: Options(MSS(1460), WindowScale(7), SACKPermitted())},
		"tcp4bad":  TCP{Src: c4, Dst: s4, Flags: ACK, Seq: 1, Ack: 2, Window: 1000, Sum: Sum{Bad: true}},
		"udp4":     UDP{Src: c4, Dst: d4, Data: []byte("x")},
		"udp6":     UDP{Src: c6, Dst: s6, Data: []byte("abcd")},
		"udplite4": UDPLite{Src: c4, Dst: d4, Data: []byte("abcdefgh"), Coverage: 10},
		"echo4":    Echo(c4.Addr(), s4.Addr(), 77, 3, false),
		"echo6":    Echo(c6.Addr(), s6.Addr(), 77, 3, true),
		"sctp4":    SCTP{Src: c4, Dst: s4, Chunks: []Chunk{InitChunk(ChunkInit, 5)}},
		"gre0":     GRE{Src: c4.Addr(), Dst: s4.Addr(), Key: 9, HasKey: true, Data: []byte("x")},
		"gre1": GRE{Src: c4.Addr(), Dst: s4.Addr(), Version: 1, CallID: 77, HasSeq: true, Seq: 4,
			Data: []byte("xyz")},
		"frag": IP{Src: c4.Addr(), Dst: s4.Addr(), Proto: 17, ID: 5, Offset: 16, More: true,
			Payload: []byte("abcdefgh")},
	}
	for _, w := range []struct{ name, want string }{
		{"tcp4", "45000037000000004006aebd0a000002c000020203e8005000000001000000008002ffffda6e0000020405b40103030701010402616263"},
		{"tcp4bad", "45000028000000004006aecc0a000002c000020203e800500000000100000002501003e8cabc0000"},
		{"udp4", "4500001d000000004011aecc0a000002c000020203e800350009b7ba78"},
		{"udp6", "60000000000c1140fd00000a000000000000000000000002fd00000b00000000000000000000000203e80035000c3cd861626364"},
		{"udplite4", "45000024000000004088ae4e0a000002c000020203e80035000acdd96162636465666768"},
		{"echo4", "45000020000000004001aed90a000002c0000202080018df004d000370696e67"},
		{"echo6", "60000000000c3a40fd00000a000000000000000000000002fd00000b0000000000000000000000028100a57d004d000370696e67"},
		{"sctp4", "45000034000000004084ae420a000002c000020203e8005000000000aecc770401000014000000050000ffff0001000100000001"},
		{"gre0", "4500001d00000000402faeae0a000002c0000202200008000000000978"},
		{"gre1", "4500002300000000402faea80a000002c00002023001880b0003004d0000000478797a"},
		{"frag", "4500001c0005200240118ec60a000002c00002026162636465666768"},
	} {
		if b := hex.EncodeToString(got[w.name].Bytes()); b != w.want {
			t.Errorf("%s:\n got %s\nwant %s", w.name, b, w.want)
		}
	}
}

// TestFragments puts the pieces of packets together again.
func TestFragments(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 100)
	for name, p := range map[string][]byte{
		"IPv4": UDP{Src: Port("10.0.0.2:1"), Dst: Port("192.0.2.2:2"), Data: data, IP: IP{Options: make([]byte, 4)}}.Bytes(),
		"IPv6": UDP{Src: Port("[fd00:a::2]:1"), Dst: Port("[fd00:b::2]:2"), Data: data,
			IP: IP{Extensions: []Extension{HopByHop(), Destination()}}}.Bytes(),
	} {
		var whole []byte
		pieces := Fragments(p, 7, 304)
		for i, f := range pieces {
			hlen := 24
			if f[0]>>4 == 6 {
				hlen = 40 + 8 + 8
			} else if Checksum(f[:hlen]) != 0 {
				t.Errorf("%s: piece %d has a bad checksum", name, i)
			}
			whole = append(whole, f[hlen:]...)
			if i < len(pieces)-1 && !strings.Contains(Describe(f), "+") {
				t.Errorf("%s: piece %d has no flag for more: %s", name, i, Describe(f))
			}
		}
		if want := p[len(p)-len(whole):]; !bytes.Equal(whole, want) {
			t.Errorf("%s: %d pieces make\n%x, want\n%x", name, len(pieces), whole, want)
		}
	}
}

// TestExtensions looks at the chain of IPv6 headers.
func TestExtensions(t *testing.T) {
	p := IP{Src: Addr("fd00:a::2"), Dst: Addr("fd00:b::2"), Proto: ProtoUDP, Payload: []byte("payload!"),
		Extensions: []Extension{HopByHop(5, 2, 0, 0), Routing(4, 0), FragmentHeader(9, 8, true), Authentication(1, 2),
			Destination()}}.Bytes()
	want := "00" + "40" + // hop-by-hop first, hop limit
		"fd00000a000000000000000000000002" + "fd00000b000000000000000000000002" +
		"2b00050200000100" + "2c00040000000000" + "3300000900000009" +
		"3c0400000000000100000002000000000000000000000000" + "1100010400000000"
	if got := hex.EncodeToString(p[6 : len(p)-8]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestOverrides looks at fields that are not right.
func TestOverrides(t *testing.T) {
	c, s := Port("10.0.0.2:1000"), Port("192.0.2.2:80")
	for _, x := range []struct {
		name string
		p    interface{ Bytes() []byte }
		at   int
		want string
	}{
		{"TTL 0", UDP{Src: c, Dst: s, IP: IP{TTL: Zero}}, 8, "00"},
		{"total length", UDP{Src: c, Dst: s, IP: IP{Length: 19}}, 2, "0013"},
		{"IHL", UDP{Src: c, Dst: s, IP: IP{IHL: 4}}, 0, "44"},
		{"no checksum", UDP{Src: c, Dst: s, Sum: Sum{None: true}}, 26, "0000"},
		{"UDP length 0", UDP{Src: c, Dst: s, Length: Zero}, 24, "0000"},
		{"window 0", TCP{Src: c, Dst: s, Window: Zero}, 34, "0000"},
		{"data offset 4", TCP{Src: c, Dst: s, DataOffset: 4, Reserved: 1}, 32, "41"},
	} {
		b := x.p.Bytes()
		if got := hex.EncodeToString(b[x.at : x.at+len(x.want)/2]); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
	if n := len((TCP{Src: c, Dst: s, Cut: 3}).Bytes()); n != 23 {
		t.Errorf("a segment cut to 3 bytes has %d", n)
	}
}
