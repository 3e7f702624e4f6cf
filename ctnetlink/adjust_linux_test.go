package ctnetlink

import (
	"net/netip"
	"testing"
)

// TestAdjustments creates an entry with the numbers of NAT helpers and of
// SYNPROXY, and reads them back from the kernel.
func TestAdjustments(t *testing.T) {
	c := namespace(t)
	en := benchEntry(1)
	en.SeqAdj = [2]SeqAdj{{Pos: 1 << 31, Before: -3, After: 9}, {Pos: 7, Before: 1, After: -1}}
	en.Synproxy = Synproxy{ISN: 1<<32 - 1, ITS: 5, TSOff: 6}
	en.Set = en.Set.With(AttrSeqAdjOrig).With(AttrSeqAdjReply).With(AttrSynproxy)
	create(t, c, en)
	f, err := c.Get(en)
	if err != nil {
		t.Fatal(err)
	}
	orig, ok1 := f.SeqAdj(false)
	reply, ok2 := f.SeqAdj(true)
	if !ok1 || !ok2 || orig != en.SeqAdj[0] || reply != en.SeqAdj[1] {
		t.Errorf("sequence adjustments %+v %v, %+v %v", orig, ok1, reply, ok2)
	}
	if s, ok := f.Synproxy(); !ok || s != en.Synproxy {
		t.Errorf("SYNPROXY %+v %v", s, ok)
	}
	if status, _ := f.Status(); status&StatusSeqAdjust == 0 {
		t.Errorf("status %#x", status)
	}

	plain := benchEntry(2)
	create(t, c, plain)
	if f, err = c.Get(plain); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.SeqAdj(false); ok {
		t.Error("a sequence adjustment of an entry without one")
	}
	if s, ok := f.Synproxy(); !ok || s != (Synproxy{}) {
		t.Errorf("SYNPROXY %+v %v of a plain entry", s, ok)
	}
}

// TestExpectationFields creates an expectation with all its fields, and reads
// them back from the kernel.
func TestExpectationFields(t *testing.T) {
	c := namespace(t)
	master := helped(t, c, 1)
	x := expectation(master, 4000)
	x.Helper, x.Fn, x.Flags = "ftp", "nat-follow-master", ExpectPermanent
	x.NAT = ExpectNAT{Reply: true, Tuple: Tuple{
		Has: FieldAddrs | FieldPorts | FieldProto, Proto: ProtoTCP,
		Src: netip.MustParseAddr("198.51.100.7"), Dst: netip.IPv4Unspecified(), SrcPort: 99,
	}}
	if err := c.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	e, err := c.GetExpect(x)
	if err != nil {
		t.Fatal(err)
	}
	helper, _ := e.Helper()
	fn, _ := e.Fn()
	flags, _ := e.Flags()
	if string(helper) != x.Helper || string(fn) != x.Fn || flags != x.Flags {
		t.Errorf("helper %q, function %q, flags %#x", helper, fn, flags)
	}
	if n, ok := e.NAT(); !ok || n != x.NAT {
		t.Errorf("translation %+v %v, want %+v", n, ok, x.NAT)
	}

	plain := expectation(master, 4001)
	if err := c.CreateExpect(plain); err != nil {
		t.Fatal(err)
	}
	if e, err = c.GetExpect(plain); err != nil {
		t.Fatal(err)
	}
	if n, ok := e.NAT(); ok {
		t.Errorf("translation %+v of an expectation without one", n)
	}
}
