package ctnetlink

import (
	"errors"
	"net/netip"
	"testing"
)

// TestKernelRequest: the kernel is asked for what it can be trusted to compare.
func TestKernelRequest(t *testing.T) {
	v4 := NewTuple(ProtoTCP, netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2"))
	v6 := NewTuple(ProtoTCP, netip.MustParseAddrPort("[fd00::1]:1"), netip.MustParseAddrPort("[fd00::2]:2"))
	sctp := NewTuple(ProtoSCTP, netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2"))
	ping := NewICMPTuple(v6.Src, v6.Dst, 128, 0, 9)
	for _, tt := range []struct {
		name        string
		q           DumpRequest
		family      Family
		orig, reply Fields
	}{
		{"nothing", DumpRequest{}, FamilyAny, 0, 0},
		{"IPv4", DumpRequest{Orig: v4}, FamilyIPv4, FieldAddrs | FieldProto | FieldPorts, 0},
		{"IPv6 addresses", DumpRequest{Reply: v6}, FamilyIPv6, 0, FieldProto | FieldPorts},
		{"ports of SCTP", DumpRequest{Orig: sctp}, FamilyIPv4, FieldAddrs | FieldProto, 0},
		{"ports without their protocol", DumpRequest{Family: FamilyIPv4, Orig: v4.Only(FieldPorts)}, FamilyIPv4, 0, 0},
		{"protocol without a family", DumpRequest{Orig: v4.Only(FieldProto)}, FamilyAny, 0, 0},
		{"protocol with a family", DumpRequest{Family: FamilyIPv6, Orig: v4.Only(FieldProto)}, FamilyIPv6, FieldProto, 0},
		{"the address of another family", DumpRequest{Family: FamilyIPv4, Orig: v6}, FamilyIPv4, 0, 0},
		{"ICMPv6", DumpRequest{Orig: ping}, FamilyIPv6, FieldProto | FieldICMP, 0},
		{"zone", DumpRequest{Family: FamilyIPv4, Orig: Tuple{Has: FieldZone, Zone: 3}}, FamilyIPv4, 0, 0},
	} {
		k := tt.q.kernel()
		if k.Family != tt.family || k.Orig.Has != tt.orig || k.Reply.Has != tt.reply || k.Orig.check("") != nil {
			t.Errorf("%s: %v, original %#x, reply %#x; want %v, %#x, %#x",
				tt.name, k.Family, k.Orig.Has, k.Reply.Has, tt.family, tt.orig, tt.reply)
		}
	}
}

// TestRequestErrors: what cannot be meant is an error that names the field.
func TestRequestErrors(t *testing.T) {
	src := netip.MustParseAddr("10.0.0.1")
	for _, tt := range []struct {
		want string
		q    DumpRequest
	}{
		{"DumpRequest.Mark", DumpRequest{Mark: 1}},
		{"DumpRequest.Status", DumpRequest{Status: StatusAssured}},
		{"DumpRequest.Zero", DumpRequest{Zero: true, Table: TableDying}},
		{"DumpRequest.Orig.Src", DumpRequest{Orig: Tuple{Src: src}}},
		{"DumpRequest.Orig.DstPort", DumpRequest{Orig: Tuple{Has: FieldSrc, Src: src, DstPort: 80}}},
		{"DumpRequest.Reply.Dst", DumpRequest{Reply: Tuple{Has: FieldDst}}},
		{"DumpRequest.Reply.ICMPID", DumpRequest{Reply: Tuple{ICMPID: 1}}},
		{"DumpRequest.Orig.Src", DumpRequest{Orig: Tuple{Has: FieldSrc, Src: netip.MustParseAddr("fe80::1%eth0")}}},
	} {
		n := 0
		for _, err := range fake().conn().Dump(&tt.q) {
			n++
			var field *FieldError
			if !errors.As(err, &field) || field.Field != tt.want || !errors.Is(err, EINVAL) {
				t.Errorf("%+v: %v, want one about %s", tt.q, err, tt.want)
			}
		}
		if n != 1 {
			t.Errorf("%+v: no error", tt.q)
		}
	}
}

func TestReverse(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	tcp := NewTuple(ProtoTCP, netip.AddrPortFrom(a, 1), netip.AddrPortFrom(b, 2))
	if got, want := tcp.Reverse(), NewTuple(ProtoTCP, netip.AddrPortFrom(b, 2), netip.AddrPortFrom(a, 1)); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	ping := NewICMPTuple(a, b, 8, 0, 7)
	if got, want := ping.Reverse(), NewICMPTuple(b, a, 0, 0, 7); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	half := Tuple{Has: FieldSrc | FieldDstPort | FieldZone, Src: a, DstPort: 2, Zone: 3}
	if got, want := half.Reverse(), (Tuple{Has: FieldDst | FieldSrcPort | FieldZone, Dst: a, SrcPort: 2, Zone: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	mapped := NewTuple(ProtoUDP, netip.MustParseAddrPort("[::ffff:10.0.0.1]:1"), netip.AddrPortFrom(b, 2))
	if mapped.Src != a || mapped.Family() != FamilyIPv4 {
		t.Errorf("%+v: an IPv4 address in IPv6 form", mapped)
	}
}
