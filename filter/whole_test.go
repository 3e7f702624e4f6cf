package filter

import (
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

func TestWhole(t *testing.T) {
	udp := ctnetlink.NewTuple(ctnetlink.ProtoUDP,
		netip.MustParseAddrPort("10.0.0.1:500"), netip.MustParseAddrPort("10.0.0.2:501"))
	ping := ctnetlink.NewICMPTuple(netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2"), 128, 0, 7)
	gre := udp
	gre.Proto = ctnetlink.ProtoGRE
	other := udp.Only(ctnetlink.FieldAddrs | ctnetlink.FieldProto)
	other.Proto = 99
	dccp := udp
	dccp.Proto = ctnetlink.ProtoDCCP
	zones := func(both, orig, reply int) func(*Filter) {
		return func(m *Filter) {
			if both >= 0 {
				m.Zone = Values(both)
			}
			if orig >= 0 {
				m.Orig.SetNumber(ctnetlink.FieldZone, Values(orig))
			}
			if reply >= 0 {
				m.Reply.SetNumber(ctnetlink.FieldZone, Values(reply))
			}
		}
	}
	for _, tt := range []struct {
		name  string
		tuple ctnetlink.Tuple
		more  func(*Filter)
		whole bool
		zone  int // -1: any
	}{
		{"udp", udp, nil, true, -1},
		{"ping", ping, nil, true, -1},
		{"gre", gre, nil, true, -1},
		{"no ports", other, nil, true, -1},
		{"dccp", dccp, nil, false, -1},
		{"no protocol", udp.Only(^ctnetlink.FieldProto), nil, false, -1},
		{"no source", udp.Only(^ctnetlink.FieldSrc), nil, false, -1},
		{"no destination port", udp.Only(^ctnetlink.FieldDstPort), nil, false, -1},
		{"no ICMP code", ping.Only(^ctnetlink.FieldICMPCode), nil, false, -1},
		{"two ports", udp, func(m *Filter) { m.Orig.SetNumber(ctnetlink.FieldSrcPort, Values(500, 502)) }, false, -1},
		{"a negated address", udp, func(m *Filter) {
			m.Orig.SetAddr(ctnetlink.FieldSrc, Address{Addr: udp.Src, Not: true})
		}, false, -1},
		{"a mask", udp, func(m *Filter) {
			m.Orig.SetAddr(ctnetlink.FieldSrc, Address{Addr: udp.Src, Mask: netip.MustParseAddr("255.255.255.0")})
		}, false, -1},
		{"a mark", udp, func(m *Filter) { m.Marks = []MarkRange{{1, 1, 1}} }, true, -1},
		{"zone 5", udp, zones(5, -1, -1), true, 5},
		{"zones 5 and 6", udp, func(m *Filter) { m.Zone = Values(5, 6) }, true, -1},
		{"zone 0 may be one of a direction", udp, zones(0, -1, -1), true, -1},
		{"zone 6 of the original", udp, zones(-1, 6, -1), true, 6},
		{"zone 0 of the original may be of both", udp, zones(-1, 0, -1), true, -1},
		{"zone 7 of the reply", udp, zones(-1, -1, 7), true, 0},
		{"zone 0 of the reply", udp, zones(-1, -1, 0), true, -1},
		{"zone 0 of both and the original", udp, zones(0, 0, -1), true, 0},
		{"zone 0 of both, 6 of the original", udp, zones(0, 6, -1), true, 6},
		{"zone 5 of both, 0 of the original", udp, zones(5, 0, -1), true, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := new(Filter)
			m.Orig.Add(&tt.tuple)
			if tt.more != nil {
				tt.more(m)
			}
			got, ok := m.Whole()
			want := ctnetlink.Tuple{}
			if tt.whole {
				want = tt.tuple
			}
			if tt.zone >= 0 {
				want.Zone, want.Has = uint16(tt.zone), want.Has|ctnetlink.FieldZone
			}
			if ok != tt.whole || got != want {
				t.Errorf("%v, %+v, want %+v", ok, got, want)
			}
		})
	}
}
