package ctnetlink

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// roundTrips is how many random entries each test encodes.
const roundTrips = 20_000

// TestEntryRoundTrip: a Flow gives back every field of the FlowSpec it was made
// from, and shows nothing else.
func TestEntryRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var f Flow // one for all: nothing of an earlier entry may shine through
	for i := range roundTrips {
		en := randomEntry(r, i)
		scramble(r, en)
		msg := en.AppendMessage([]byte("before"))[len("before"):]
		if err := f.Decode(msg); err != nil {
			t.Fatalf("%+v: %v", en, err)
		}
		if !sameEntry(t, &f, en) {
			t.Fatalf("entry %d: %+v\nmessage %x", i, en, msg)
		}
		if c := f.Clone(); i%97 == 0 {
			clear(msg)
			if !sameEntry(t, c, en) {
				t.Fatalf("the clone of entry %d lives on the message", i)
			}
		}
	}
}

// scramble sets what randomEntry leaves out because a kernel would refuse it.
func scramble(r *rand.Rand, en *FlowSpec) {
	coin := func(a Attr) bool {
		on := r.IntN(2) == 0
		if on {
			en.Set = en.Set.With(a)
		}
		return on
	}
	if coin(AttrID) {
		en.ID = r.Uint32()
	}
	if coin(AttrMarkMask) {
		en.MarkMask = r.Uint32()
	}
	if coin(AttrZone) {
		en.Zone = uint16(r.Uint32())
	}
	if coin(AttrTupleMaster) {
		en.Master = randomEntry(r, r.IntN(1<<24)).Orig
	}
	if coin(AttrLabelsMask) {
		en.LabelsMask = bytes.Repeat([]byte{byte(r.Uint32())}, 4*(1+r.IntN(4)))
	}
	if coin(AttrHelp) {
		en.Helper = "helper-of-15ch."[:r.IntN(16)]
	}
	en.Status = Status(r.Uint32())
	for _, t := range []*Tuple{&en.Orig, &en.Reply} {
		switch r.IntN(8) {
		case 0: // not sent at all
			*t = Tuple{}
		case 1: // no protocol
			t.Has &= FieldAddrs | FieldZone
		case 2: // one address
			t.Has &^= FieldDst
		case 3: // one port
			t.Has &^= FieldDstPort | FieldICMPCode
		}
		*t = t.Only(t.Has)
	}
	if p := &en.ProtoInfo; coin(AttrProtoInfo) {
		*p = ProtoInfo{Proto: []Protocol{ProtoTCP, ProtoSCTP, ProtoDCCP}[r.IntN(3)], Has: InfoState}
		p.State = NewState(p.Proto, uint8(r.Uint32()))
		switch p.Proto {
		case ProtoTCP:
			p.Has |= InfoFields(r.Uint32()) & (InfoWScaleOrig | InfoWScaleReply | InfoFlagsOrig | InfoFlagsReply)
			if p.Has&InfoWScaleOrig != 0 {
				p.WScale[0] = uint8(r.Uint32())
			}
			if p.Has&InfoFlagsReply != 0 {
				p.Flags[1] = MaskedTCPFlags{TCPFlags(r.Uint32()), TCPFlags(r.Uint32())}
			}
		case ProtoSCTP:
			if r.IntN(2) == 0 {
				p.Has, p.VTag = p.Has|InfoVTags, [2]uint32{r.Uint32(), r.Uint32()}
			}
		case ProtoDCCP:
			p.Has |= InfoRole | InfoHandshakeSeq
			p.Role, p.HandshakeSeq = uint8(r.IntN(2)), r.Uint64()
		}
	}
}

// sameEntry reports whether f shows what en says and no more.
func sameEntry(t *testing.T, f *Flow, en *FlowSpec) bool {
	t.Helper()
	ok := true
	check := func(a Attr, shown, same bool) {
		if want := en.Set.Has(a); shown != want || want && !same || f.Has(a) != want {
			t.Errorf("attribute %d: shown %v, wanted %v, equal %v", a, shown, want, same)
			ok = false
		}
	}
	if f.Family() != en.Family || *f.Orig() != en.Orig || *f.Reply() != en.Reply ||
		f.Has(AttrTupleOrig) != (en.Orig.Has != 0) || f.Has(AttrTupleReply) != (en.Reply.Has != 0) {
		t.Errorf("family %d, tuples %+v %+v", f.Family(), *f.Orig(), *f.Reply())
		ok = false
	}
	zone, has := f.Zone()
	check(AttrZone, has, zone == en.Zone)
	id, has := f.ID()
	check(AttrID, has, id == en.ID)
	status, has := f.Status()
	check(AttrStatus, has, status == en.Status)
	timeout, has := f.Timeout()
	check(AttrTimeout, has, timeout == en.Timeout)
	mark, has := f.Mark()
	check(AttrMark, has, mark == en.Mark)
	mask, has := f.MarkMask()
	check(AttrMarkMask, has, mask == en.MarkMask)
	info, has := f.ProtoInfo()
	check(AttrProtoInfo, has, info == en.ProtoInfo)
	state, has := f.State()
	check(AttrProtoInfo, has, state == en.ProtoInfo.State)
	helper, has := f.Helper()
	check(AttrHelp, has, string(helper) == en.Helper)
	labels, has := f.Labels()
	check(AttrLabels, has, bytes.Equal(labels, en.Labels))
	labels, has = f.Raw(AttrLabelsMask)
	check(AttrLabelsMask, has, bytes.Equal(labels, en.LabelsMask))
	master, has := f.Master()
	check(AttrTupleMaster, has, master == en.Master)
	return ok
}

// TestExpectationRoundTrip is TestEntryRoundTrip for expectations.
func TestExpectationRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var e Expect
	for i := range roundTrips / 4 {
		en := randomEntry(r, i)
		x := ExpectSpec{
			Family: en.Family, Master: en.Orig, Tuple: en.Reply, Mask: en.Reply,
			HasTimeout: r.IntN(2) == 0, HasID: r.IntN(2) == 0, HasZone: r.IntN(2) == 0,
		}
		x.Mask.SrcPort, x.Mask.DstPort = 0, 0xffff
		x.Mask = x.Mask.Only(x.Mask.Has)
		if x.HasTimeout {
			x.Timeout = seconds(r.Uint32())
		}
		if x.HasID {
			x.ID = r.Uint32()
		}
		if x.HasZone {
			x.Zone = uint16(r.Uint32())
		}
		var enc encoder
		x.append(&enc, header{Type: wire.SubsysExpect << 8})
		if err := e.Decode(enc.B); err != nil {
			t.Fatal(err)
		}
		got := ExpectSpec{Family: e.Family(), Master: *e.Master(), Tuple: *e.Tuple(), Mask: *e.Mask()}
		got.Timeout, got.HasTimeout = e.Timeout()
		got.ID, got.HasID = e.ID()
		got.Zone, got.HasZone = e.Zone()
		if got != x {
			t.Fatalf("got  %+v\nwant %+v", got, x)
		}
		c := e.Clone()
		clear(enc.B)
		if *c.Tuple() != x.Tuple || c.Family() != x.Family {
			t.Fatal("the clone lives on the message")
		}
	}
}

// TestIdentify: a request made from an entry names its family, its original
// tuple, its zone and its id exactly, and nothing that would change it.
func TestIdentify(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 2000 {
		en := randomEntry(r, i)
		en.ID, en.Set = r.Uint32(), en.Set.With(AttrID)
		var f Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		got := FlowSpec{Helper: "left over"}
		got.Identify(&f)
		want := en.Set & AttrSet(0).With(AttrID).With(AttrZone)
		if got.Family != en.Family || got.Orig != en.Orig || got.Reply.Has != 0 || got.Set != want ||
			got.ID != en.ID || got.Zone != en.Zone || !got.Exact || got.Helper != "" {
			t.Fatalf("%+v\nfrom %+v", got, en)
		}
	}
}

// TestNATEncoding reads back what a NAT is sent as.
func TestNATEncoding(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::9")
	for _, tt := range []struct {
		nat                NAT
		min, max           uint16 // attribute numbers, 0: none
		portMin, portMax   bool
		minBytes, maxBytes []byte
	}{
		{nat: NAT{}},
		{nat: NAT{MinAddr: four}, min: wire.NATv4MinIP, minBytes: four.AsSlice()},
		{nat: NAT{MinAddr: four, MaxAddr: four.Next()}, min: wire.NATv4MinIP, minBytes: four.AsSlice(), max: wire.NATv4MaxIP, maxBytes: four.Next().AsSlice()},
		{nat: NAT{MinAddr: six, MinPort: 80}, min: wire.NATv6MinIP, minBytes: six.AsSlice(), portMin: true},
		{nat: NAT{MinAddr: six, MaxAddr: six.Next(), MinPort: 80, MaxPort: 90}, min: wire.NATv6MinIP, minBytes: six.AsSlice(), max: wire.NATv6MaxIP, maxBytes: six.Next().AsSlice(), portMin: true, portMax: true},
		{nat: NAT{MaxPort: 90}}, // the kernel ignores a maximum alone
	} {
		en := FlowSpec{Set: AttrSet(0).With(AttrNATSrc).With(AttrNATDst), SrcNAT: tt.nat, DstNAT: tt.nat}
		var f Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		for _, a := range []Attr{AttrNATSrc, AttrNATDst} {
			b, ok := f.Raw(a)
			minimum, hasMin := wire.Find(b, tt.min)
			maximum, hasMax := wire.Find(b, tt.max)
			ports, _ := wire.Find(b, wire.NATProto)
			portMin, hasPortMin := wire.Find(ports, wire.NATPortMin)
			_, hasPortMax := wire.Find(ports, wire.NATPortMax)
			if !ok || hasMin != (tt.min != 0) || hasMax != (tt.max != 0) || hasPortMin != tt.portMin || hasPortMax != tt.portMax ||
				!bytes.Equal(minimum, tt.minBytes) || !bytes.Equal(maximum, tt.maxBytes) || hasPortMin && be16(portMin) != 80 {
				t.Errorf("%+v is sent as %x", tt.nat, b)
			}
		}
	}
}
