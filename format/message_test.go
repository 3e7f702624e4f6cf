package format

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// A tiny encoder of ctnetlink messages, so that a test shows what the table
// sent next to what is written of it. Numbers are those of
// linux/netfilter/nfnetlink_conntrack.h.

func attr(typ uint16, payload ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(payload)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, payload...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func nest(typ uint16, attrs ...[]byte) []byte {
	return attr(typ|1<<15, join(attrs...)...)
}

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func u8(typ uint16, v uint8) []byte   { return attr(typ, v) }
func u16(typ uint16, v uint16) []byte { return attr(typ, binary.BigEndian.AppendUint16(nil, v)...) }
func u32(typ uint16, v uint32) []byte { return attr(typ, binary.BigEndian.AppendUint32(nil, v)...) }
func u64(typ uint16, v uint64) []byte { return attr(typ, binary.BigEndian.AppendUint64(nil, v)...) }
func str(typ uint16, s string) []byte { return attr(typ, append([]byte(s), 0)...) }

// message returns a message of the given family with the attributes after it.
func message(typ uint16, family ctnetlink.Family, attrs ...[]byte) []byte {
	body := join(attrs...)
	b := binary.NativeEndian.AppendUint32(nil, uint32(20+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, make([]byte, 10)...)
	b = append(b, byte(family), 0, 0, 0)
	return append(b, body...)
}

// addrs returns CTA_TUPLE_IP.
func addrs(src, dst string) []byte {
	s, d := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	if s.Is4() {
		return nest(1, attr(1, s.AsSlice()...), attr(2, d.AsSlice()...))
	}
	return nest(1, attr(3, s.AsSlice()...), attr(4, d.AsSlice()...))
}

// ports returns CTA_TUPLE_PROTO of a protocol with ports or keys.
func ports(proto ctnetlink.Protocol, src, dst uint16) []byte {
	return nest(2, u8(1, uint8(proto)), u16(2, src), u16(3, dst))
}

// query returns CTA_TUPLE_PROTO of ICMP or ICMPv6.
func query(proto ctnetlink.Protocol, typ, code uint8, id uint16) []byte {
	if proto == ctnetlink.ProtoICMP {
		return nest(2, u8(1, uint8(proto)), u16(4, id), u8(5, typ), u8(6, code))
	}
	return nest(2, u8(1, uint8(proto)), u16(7, id), u8(8, typ), u8(9, code))
}

// number returns CTA_TUPLE_PROTO of a protocol without anything.
func number(proto ctnetlink.Protocol) []byte { return nest(2, u8(1, uint8(proto))) }

// both returns both tuples of an untranslated entry with ports.
func both(proto ctnetlink.Protocol, src, dst string, sport, dport uint16) []byte {
	return join(
		nest(1, addrs(src, dst), ports(proto, sport, dport)),
		nest(2, addrs(dst, src), ports(proto, dport, sport)))
}

func counters(typ uint16, packets, bytes uint64) []byte {
	return nest(typ, u64(1, packets), u64(2, bytes))
}

func tcpState(s uint8) []byte { return nest(4, nest(1, u8(1, s))) }

func sctpState(s uint8, orig, reply uint32) []byte {
	return nest(4, nest(3, u8(1, s), u32(2, orig), u32(3, reply)))
}

func dccpState(s, role uint8) []byte { return nest(4, nest(2, u8(1, s), u8(2, role))) }

// labels returns CTA_LABELS with the bits set.
func labels(bits ...int) []byte {
	return attr(22, ctnetlink.NewLabels(bits...)...)
}

const (
	stSeen     = 1 << 1
	stAssured  = 1 << 2
	stPlain    = 1 << 3 // confirmed
	stNAT      = stPlain | 1<<7 | 1<<8
	stFixed    = 1 << 10
	stExpected = 1 << 0
)

func status(bits uint32) []byte  { return u32(3, bits) }
func timeout(v uint32) []byte    { return u32(7, v) }
func mark(v uint32) []byte       { return u32(8, v) }
func use(v uint32) []byte        { return u32(11, v) }
func id(v uint32) []byte         { return u32(12, v) }
func zone(v uint16) []byte       { return u16(18, v) }
func helper(s string) []byte     { return nest(5, str(1, s)) }
func secctx(s string) []byte     { return nest(19, str(1, s)) }
func started(ns uint64) []byte   { return nest(20, u64(1, ns)) }
func lived(a, z uint64) []byte   { return nest(20, u64(1, a), u64(2, z)) }
func eventAt(ns uint64) []byte   { return u64(27, ns) }
func tupleZone(v uint16) []byte  { return u16(3, v) }
func v4(attrs ...[]byte) []byte  { return message(0x100, ctnetlink.FamilyIPv4, attrs...) }
func v6(attrs ...[]byte) []byte  { return message(0x100, ctnetlink.FamilyIPv6, attrs...) }
func exp(attrs ...[]byte) []byte { return message(0x200, ctnetlink.FamilyIPv4, attrs...) }

func flow(t testing.TB, msg []byte) *ctnetlink.Flow {
	t.Helper()
	f := new(ctnetlink.Flow)
	if err := f.Decode(msg); err != nil {
		t.Fatal(err)
	}
	return f
}

func expectation(t testing.TB, msg []byte) *ctnetlink.Expect {
	t.Helper()
	e := new(ctnetlink.Expect)
	if err := e.Decode(msg); err != nil {
		t.Fatal(err)
	}
	return e
}

// golden is one entry and what is written of it.
type golden struct {
	name string
	msg  []byte
	opts Options
	ctx  Context
	want string
}

func (g golden) check(t *testing.T, style Style) {
	t.Run(g.name, func(t *testing.T) {
		t.Helper()
		g.opts.Style = style
		got := string(NewPrinter(g.opts).AppendFlow([]byte("before"), flow(t, g.msg), &g.ctx))
		if want := "before" + g.want + "\n"; got != want {
			t.Errorf("\n got %q\nwant %q", got, want)
		}
	})
}

func (g golden) checkExpect(t *testing.T, style Style) {
	t.Run(g.name, func(t *testing.T) {
		t.Helper()
		g.opts.Style = style
		got := string(NewPrinter(g.opts).AppendExpect([]byte("before"), expectation(t, g.msg), &g.ctx))
		if want := "before" + g.want + "\n"; got != want {
			t.Errorf("\n got %q\nwant %q", got, want)
		}
	})
}
