package wire

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// unhex decodes hexadecimal digits, blanks between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ours reports whether o has attributes that conntrack-tools does not know.
func ours(o Object) bool { return len(o.Classic()) != len(o) }

func flowTuple(p ctnetlink.Protocol, src, dest string) ctnetlink.Tuple {
	return ctnetlink.NewTuple(p, netip.MustParseAddrPort(src), netip.MustParseAddrPort(dest))
}

func tcpInfo(number uint8) ctnetlink.ProtoInfo {
	return ctnetlink.ProtoInfo{
		Proto: ctnetlink.ProtoTCP, Has: ctnetlink.InfoState, State: ctnetlink.NewState(ctnetlink.ProtoTCP, number),
	}
}

// nattedTuple is both directions of a query or connection whose source is translated.
func nattedTuple(orig ctnetlink.Tuple, to string) *ctnetlink.FlowSpec {
	s := ctnetlink.NewFlowSpec(orig)
	s.Reply = orig.Reverse()
	s.Reply.Dst = netip.MustParseAddr(to)
	return s
}

// vectors are messages that conntrack-tools' daemon sent, and the entries that its
// kernel told.
var vectors = []struct {
	name    string
	message string
	opt     Options
	spec    func() *ctnetlink.FlowSpec
	// sent is what we send, where the daemon sends more.
	sent string
}{
	{
		name: "TCP with SNAT",
		message: `11000044 6b07fa86 000c0000 0a000064 c0000264 00080005 0000019e 00050002 06000000 00080003 ed880050
			00050004 03000000 00080006 00069780 0008000c c0000201`,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:60808", "192.0.2.100:80"), "192.0.2.1")
			s.SetStatus(0x19e)
			s.SetTimeout(432000 * time.Second)
			s.SetProtoInfo(tcpInfo(3))
			return s
		},
	},
	{
		name: "window scales and a helper",
		message: `1100005c 6b07fa86 000c0000 0a000064 c0000264 00080005 0000019e 00050002 06000000 00080003 b9e40015
			00050004 03000000 00050019 0a000000 0005001a 0a000000 00080006 00069780 0008000c c0000201
			0008001b 66747000`,
		opt: WindowTracking,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:47588", "192.0.2.100:21"), "192.0.2.1")
			s.SetStatus(0x19e)
			s.SetTimeout(432000 * time.Second)
			info := tcpInfo(3)
			info.WScale, info.Has = [2]uint8{10, 10}, info.Has|ctnetlink.InfoWScaleOrig|ctnetlink.InfoWScaleReply
			s.SetProtoInfo(info)
			s.SetHelper("ftp")
			return s
		},
	},
	{
		name: "UDP",
		message: `1000003c 6b07fa86 000c0000 0a000064 c0000264 00080005 00000198 00050002 11000000 00080003 a24b0035
			00080006 0000001e 0008000c c0000201`,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(flowTuple(ctnetlink.ProtoUDP, "10.0.0.100:41547", "192.0.2.100:53"), "192.0.2.1")
			s.SetStatus(0x198)
			s.SetTimeout(30 * time.Second)
			return s
		},
	},
	{
		name: "DNAT to port 80",
		message: `1100004c 6b07fa86 000c0000 c0000264 c0000201 00080005 000001ae 00050002 06000000 00080003 e2101f90
			00050004 03000000 00080006 00069780 0008000d 0a000064 0006000f 50000000`,
		spec: func() *ctnetlink.FlowSpec {
			s := ctnetlink.NewFlowSpec(flowTuple(ctnetlink.ProtoTCP, "192.0.2.100:57872", "192.0.2.1:8080"))
			s.Reply = flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:80", "192.0.2.100:57872")
			s.SetStatus(0x1ae)
			s.SetTimeout(432000 * time.Second)
			s.SetProtoInfo(tcpInfo(3))
			return s
		},
	},
	{
		name: "IPv6 TCP with SNAT",
		message: `11000068 6b07fa86 00240001 fd010000000000000000000000000100 fd020000000000000000000000000100
			00080005 0000019e 00050002 06000000 00080003 ed880050 00050004 03000000 00080006 00069780
			0014001d fd020000000000000000000000000001`,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(flowTuple(ctnetlink.ProtoTCP, "[fd01::100]:60808", "[fd02::100]:80"), "fd02::1")
			s.SetStatus(0x19e)
			s.SetTimeout(432000 * time.Second)
			s.SetProtoInfo(tcpInfo(3))
			return s
		},
	},
	{
		name: "ICMP with SNAT",
		message: `1100005c 6b07fa86 000c0000 0a000064 c0000264 00080005 0000019a 00050002 01000000 00050016 08000000
			00050017 00000000 00060018 c0230000 00080006 0000001e 0008000c c0000201 0006000e 00000000
			0006000f 00000000`,
		sent: `000c0000 0a000064 c0000264 00080005 0000019a 00050002 01000000 00050016 08000000
			00050017 00000000 00060018 c0230000 00080006 0000001e 0008000c c0000201`,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(ctnetlink.NewICMPTuple(netip.MustParseAddr("10.0.0.100"), netip.MustParseAddr("192.0.2.100"),
				8, 0, 0x23c0), "192.0.2.1")
			s.SetStatus(0x19a)
			s.SetTimeout(30 * time.Second)
			return s
		},
	},
	{
		name: "SCTP",
		message: `1000004c 6b07fa86 000c0000 0a000064 c0000264 00080005 00000188 00050002 84000000 00080003 03e807d0
			00050011 04000000 00080012 34120000 00080013 78560000 00080006 00000064`,
		spec: func() *ctnetlink.FlowSpec {
			s := ctnetlink.NewFlowSpec(flowTuple(ctnetlink.ProtoSCTP, "10.0.0.100:1000", "192.0.2.100:2000"))
			s.Reply = s.Orig.Reverse()
			s.SetStatus(0x188)
			s.SetTimeout(100 * time.Second)
			s.SetProtoInfo(ctnetlink.ProtoInfo{
				Proto: ctnetlink.ProtoSCTP, Has: ctnetlink.InfoState | ctnetlink.InfoVTags,
				State: ctnetlink.NewState(ctnetlink.ProtoSCTP, 4), VTag: [2]uint32{0x34120000, 0x78560000},
			})
			return s
		},
	},
	{
		name: "GRE without keys",
		message: `10000034 6b07fa86 000c0000 0a000064 c0000264 00080005 00000188 00050002 2f000000 00080006 0000001e
			0008000c c0000201`,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(flowTuple(ctnetlink.ProtoGRE, "10.0.0.100:0", "192.0.2.100:0"), "192.0.2.1")
			s.SetStatus(0x188)
			s.SetTimeout(30 * time.Second)
			return s
		},
	},
	{
		name: "mark and label",
		message: `11000060 6b07fa86 000c0000 0a000064 c0000264 00080005 0000019e 00050002 06000000 00080003 ed880050
			00050004 03000000 00080006 00069780 00080007 0000002a 0008000c c0000201
			0014001c 00000002 00000000 00000000 00000000`,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:60808", "192.0.2.100:80"), "192.0.2.1")
			s.SetStatus(0x19e)
			s.SetTimeout(432000 * time.Second)
			s.SetProtoInfo(tcpInfo(3))
			s.Mark, s.Set = 42, s.Set.With(ctnetlink.AttrMark)
			s.SetLabels(ctnetlink.NewLabels(1), nil)
			return s
		},
	},
	{
		name: "related",
		message: `11000060 6b07fa86 000c0000 c0000264 0a000064 00080005 0000019f 00050002 06000000 00080003 0014ed88
			00050004 03000000 00080006 00069780 000c0008 0a000064 c0000264 0005000a 06000000
			0008000b b9e40015 0008000c c0000201`,
		spec: func() *ctnetlink.FlowSpec {
			s := nattedTuple(flowTuple(ctnetlink.ProtoTCP, "192.0.2.100:20", "10.0.0.100:60808"), "192.0.2.1")
			s.SetStatus(0x19f)
			s.SetTimeout(432000 * time.Second)
			s.SetProtoInfo(tcpInfo(3))
			s.SetMaster(flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:47588", "192.0.2.100:21"))
			return s
		},
	},
	{
		name: "sequence adjustment, synproxy, zone",
		message: `11000070 6b07fa86 000c0000 0a000064 c0000264 00080005 00000188 00050002 06000000 00080003 ed880050
			00050004 03000000 00080006 00000064 001c0010 3a5167ef 00000000 ffffffff 00000000 00000000 00000000
			0010001f 00000001 00000002 00000003 00060020 00070000`,
		spec: func() *ctnetlink.FlowSpec {
			s := ctnetlink.NewFlowSpec(flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:60808", "192.0.2.100:80"))
			s.Reply = s.Orig.Reverse()
			s.SetStatus(0x188)
			s.SetTimeout(100 * time.Second)
			s.SetProtoInfo(tcpInfo(3))
			s.SeqAdj[0] = ctnetlink.SeqAdj{Pos: 0x3a5167ef, After: -1}
			s.Synproxy = ctnetlink.Synproxy{ITS: 1, ISN: 2, TSOff: 3}
			s.Set = s.Set.With(ctnetlink.AttrSeqAdjOrig).With(ctnetlink.AttrSeqAdjReply).With(ctnetlink.AttrSynproxy)
			s.SetZone(7)
			return s
		},
	},
}

// flowOf returns the entry that a table would tell of s.
func flowOf(t testing.TB, s *ctnetlink.FlowSpec) *ctnetlink.Flow {
	t.Helper()
	f := new(ctnetlink.Flow)
	if err := f.Decode(s.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			msg := unhex(t, v.message)
			h, payload, rest, err := Next(msg)
			if err != nil || len(rest) != 0 || int(h.Length) != len(msg) || h.Seq != 0x6b07fa86 {
				t.Fatalf("Next: %+v, rest %x, %v", h, rest, err)
			}
			if got := h.Append(nil, payload); string(got) != string(msg) {
				t.Errorf("Append: %x", got)
			}
			want := payload
			if v.sent != "" {
				want = unhex(t, v.sent)
			}
			spec := v.spec()
			got, err := v.opt.AppendFlow(nil, flowOf(t, spec), nil)
			if err != nil || string(got) != string(want) {
				t.Errorf("AppendFlow: %v\n%x, want\n%x", err, got, want)
			}
			merged, err := Merge(nil, h.Type, nil, payload)
			if err != nil || string(merged) != string(want) {
				t.Errorf("Merge: %v\n%x, want\n%x", err, merged, want)
			}
			if c := got.Classic(); string(c) != string(got) || got.Expect() {
				t.Errorf("Classic: %x, Expect: %v", c, got.Expect())
			}
			var back ctnetlink.FlowSpec
			if err := got.Spec(&back); err != nil {
				t.Fatal(err)
			}
			again, err := v.opt.AppendFlow(nil, flowOf(t, &back), nil)
			if err != nil || string(again) != string(got) {
				t.Errorf("Spec: %v\n%x, want\n%x", err, again, got)
			}
			if back.Orig != spec.Orig || back.Reply != spec.Reply {
				t.Errorf("Spec: %v and %v, want %v and %v", &back.Orig, &back.Reply, &spec.Orig, &spec.Reply)
			}
		})
	}
}

func TestControlMessages(t *testing.T) {
	for _, s := range []string{
		"1a300008 6b07fa83", "1a100008 6b07fac3", "1a080010 6b07fa85 6b07fa84 6b07fa84",
		"1a020010 6b07fa86 00000000 00000000", "1a680010 6b07fa86 6b07fa84 6b07fa85",
	} {
		msg := unhex(t, s)
		h, payload, rest, err := Next(msg)
		if err != nil || len(payload) != 0 || len(rest) != 0 {
			t.Errorf("%s: %x, %x, %v", s, payload, rest, err)
		}
		if got := h.Append(nil, nil); string(got) != string(msg) {
			t.Errorf("%s: %+v is written as %x", s, h, got)
		}
	}
}
