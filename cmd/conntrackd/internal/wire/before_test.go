package wire

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// fullFlow is an entry with all attributes that an event may lack.
func fullFlow() *ctnetlink.FlowSpec {
	s := nattedTuple(flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:60808", "192.0.2.100:80"), "192.0.2.1")
	s.Reply.SrcPort, s.Reply.DstPort = 8080, 2000
	s.Reply.Src = netip.MustParseAddr("192.0.2.101")
	s.SetStatus(0x19f)
	s.SetTimeout(100 * time.Second)
	info := tcpInfo(3)
	info.WScale, info.Has = [2]uint8{10, 11}, info.Has|ctnetlink.InfoWScaleOrig|ctnetlink.InfoWScaleReply
	s.SetProtoInfo(info)
	s.SetMark(42, 0xffffffff)
	s.Set = s.Set.Without(ctnetlink.AttrMarkMask)
	s.MarkMask = 0
	s.SetMaster(flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:47588", "192.0.2.100:21"))
	s.SeqAdj[0] = ctnetlink.SeqAdj{Pos: 1, After: -1}
	s.Synproxy = ctnetlink.Synproxy{ITS: 1, ISN: 2, TSOff: 3}
	s.Set = s.Set.With(ctnetlink.AttrSeqAdjOrig).With(ctnetlink.AttrSeqAdjReply).With(ctnetlink.AttrSynproxy)
	s.SetHelper("netbios-ns-long")
	s.SetLabels(ctnetlink.NewLabels(1), nil)
	return s
}

// TestBefore has messages that tell only which entry is meant: the rest stays.
func TestBefore(t *testing.T) {
	opt := WindowTracking
	whole, err := opt.AppendFlow(nil, flowOf(t, fullFlow()), nil)
	if err != nil {
		t.Fatal(err)
	}
	sparse := &ctnetlink.FlowSpec{Orig: fullFlow().Orig}
	for _, reply := range []bool{false, true} {
		if reply {
			sparse.Reply = fullFlow().Reply
		}
		if got, err := opt.AppendFlow(nil, flowOf(t, sparse), whole); err != nil || string(got) != string(whole) {
			t.Errorf("reply tuple %v: %v, %x\nwant %x", reply, err, got, whole)
		}
	}
	named, err := AppendFlow(nil, flowOf(t, sparse), nil)
	if err != nil || len(named) != 12+8+8+8 {
		t.Errorf("%v, %x", err, named)
	}
	if merged, err := Merge(nil, Update, whole, named); err != nil || merged[16+3] != 0 {
		t.Errorf("the status that is told is not taken: %v, %x", err, merged)
	}
	var s ctnetlink.FlowSpec
	if err := whole.Spec(&s); err != nil || s.Helper != "netbios-ns-long" || s.Reply != fullFlow().Reply {
		t.Errorf("%v, helper %q, reply %v", err, s.Helper, &s.Reply)
	}
	want := ctnetlink.NAT{
		MinAddr: netip.MustParseAddr("192.0.2.1"), MaxAddr: netip.MustParseAddr("192.0.2.1"), MinPort: 2000, MaxPort: 2000,
	}
	if s.SrcNAT != want || !s.Set.Has(ctnetlink.AttrNATSrc) {
		t.Errorf("SrcNAT %+v, want %+v", s.SrcNAT, want)
	}
	// A long name is no reason for conntrack-tools to refuse the entry.
	if c := Object(whole.Classic()); len(c) == len(whole) || c.Spec(&s) != nil || s.Helper != "" {
		t.Errorf("for conntrack-tools: %x of %x", []byte(c), []byte(whole))
	}
}

// TestOptions leaves out what the configuration does not want told.
func TestOptions(t *testing.T) {
	f := flowOf(t, fullFlow())
	for _, opt := range []Options{0, WindowTracking, NoTimeout, WindowTracking | NoTimeout} {
		before, err := (WindowTracking).AppendFlow(nil, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []Object{nil, before} {
			o, err := opt.AppendFlow(nil, f, b)
			if err != nil {
				t.Fatal(err)
			}
			var s ctnetlink.FlowSpec
			if err := o.Spec(&s); err != nil {
				t.Fatal(err)
			}
			if got := s.ProtoInfo.Has&ctnetlink.InfoWScaleOrig != 0; got != (opt&WindowTracking != 0) {
				t.Errorf("options %d: window scale %v", opt, got)
			}
			if got := s.Set.Has(ctnetlink.AttrTimeout); got != (opt&NoTimeout == 0) {
				t.Errorf("options %d: timeout %v", opt, got)
			}
		}
	}
}

// TestLabelsGone tells that the last label was taken away.
func TestLabelsGone(t *testing.T) {
	whole, _ := AppendFlow(nil, flowOf(t, fullFlow()), nil)
	s := fullFlow()
	s.SetLabels(make(ctnetlink.Labels, 16), nil)
	none, err := AppendFlow(nil, flowOf(t, s), nil)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := AppendFlow(nil, flowOf(t, s), whole)
	if err != nil || len(gone) != len(none)+20 {
		t.Fatalf("%v, %x, without labels %x", err, gone, none)
	}
	merged, err := Merge(nil, Update, whole, gone)
	if err != nil || string(merged) != string(gone) {
		t.Errorf("%v, %x, want %x", err, merged, gone)
	}
}

// TestReplyID has a query whose id was translated, which conntrack-tools cannot carry.
func TestReplyID(t *testing.T) {
	s := nattedTuple(ctnetlink.NewICMPTuple(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1"), 8, 0, 5),
		"192.0.2.9")
	s.Reply.ICMPID = 6
	s.SetStatus(0x19a)
	o, err := AppendFlow(nil, flowOf(t, s), nil)
	if err != nil || !ours(o) || o.Classic() == nil {
		t.Fatalf("%v, %x", err, o)
	}
	again, err := AppendFlow(nil, flowOf(t, &ctnetlink.FlowSpec{Orig: s.Orig}), o)
	if err != nil || string(again) != string(o) {
		t.Errorf("%v, %x, want %x", err, again, o)
	}
	var back ctnetlink.FlowSpec
	if err := o.Spec(&back); err != nil || back.Reply != s.Reply || back.SrcNAT.MinPort != 6 {
		t.Errorf("%v, reply %v, %+v", err, &back.Reply, back.SrcNAT)
	}
}

// TestNothing refuses entries without a name.
func TestNothing(t *testing.T) {
	s := ctnetlink.NewFlowSpec(ctnetlink.Tuple{Has: ctnetlink.FieldProto, Proto: ctnetlink.ProtoTCP})
	if o, err := AppendFlow([]byte("mine"), flowOf(t, s), nil); err != ErrNoTuple || string(o) != "mine" {
		t.Errorf("%q, %v", o, err)
	}
	if o, err := AppendExpect([]byte("mine"), new(ctnetlink.Expect), nil); err != ErrNoTuple || string(o) != "mine" {
		t.Errorf("%q, %v", o, err)
	}
	if err := Object(nil).Spec(s); err != error(BadPayload) {
		t.Error(err)
	}
	if k := Object(nil).Key(); k != (Key{}) {
		t.Errorf("%+v", k)
	}
}
