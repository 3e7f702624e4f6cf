package wire

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// expectation is what conntrack-tools' daemon sent of FTP's.
const expectation = `130000b8 6b07fa86 000c0000 0a000064 c0000264 00050002 06000000 00080003 b9e40015 000c0004 0a000064
	c0000264 00050006 06000000 00080007 00009465 000c0008 ffffffff ffffffff 0005000a 06000000 0008000b 0000ffff
	0008000c 0000012c 0008000d 00000000 0008000e 00000000 000c000f 00000000 00000000 00050011 06000000
	00080010 94650000 00080012 00000000 00080013 66747000 00160014 6e61742d666f6c6c6f772d6d6173746572 00 0000`

func ftpExpectation() *ctnetlink.ExpectSpec {
	s := &ctnetlink.ExpectSpec{
		Tuple:  flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:0", "192.0.2.100:37989"),
		Mask:   flowTuple(ctnetlink.ProtoTCP, "255.255.255.255:0", "255.255.255.255:65535"),
		Master: flowTuple(ctnetlink.ProtoTCP, "10.0.0.100:47588", "192.0.2.100:21"),
		Helper: "ftp", Fn: "nat-follow-master",
		NAT: ctnetlink.ExpectNAT{Tuple: flowTuple(ctnetlink.ProtoTCP, "0.0.0.0:37989", "0.0.0.0:0")},
	}
	s.SetTimeout(300 * time.Second)
	return s
}

func expectOf(t testing.TB, s *ctnetlink.ExpectSpec) *ctnetlink.Expect {
	t.Helper()
	e := new(ctnetlink.Expect)
	if err := e.Decode(s.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExpectation(t *testing.T) {
	msg := unhex(t, expectation)
	h, payload, rest, err := Next(msg)
	if err != nil || len(rest) != 0 || h.Type != ExpectNew || !h.Type.Expect() {
		t.Fatalf("%+v, %x, %v", h, rest, err)
	}
	o, err := Merge(nil, h.Type, nil, payload)
	if err != nil || string(o) != string(payload) || !o.Expect() || ours(o) {
		t.Fatalf("%v, %x\nwant %x", err, o, payload)
	}
	var s ctnetlink.ExpectSpec
	if err := o.ExpectSpec(&s); err != nil {
		t.Fatal(err)
	}
	want := ftpExpectation()
	want.Family = ctnetlink.FamilyIPv4
	if s != *want {
		t.Errorf("%+v\nwant %+v", s, *want)
	}
	// Flags and class of 0 are not in a request.
	bare, err := Merge(nil, ExpectUpdate, nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	got, err := AppendExpect(nil, expectOf(t, &s), bare)
	if err != nil || string(got) != string(o) {
		t.Errorf("AppendExpect: %v, %x\nwant %x", err, got, o)
	}
	k := o.Key()
	if !k.Expect || k.Proto != 6 || k.Ports != [4]byte{0, 0, 0x94, 0x65} {
		t.Errorf("key %+v", k)
	}
}

// TestExpectationOurs has what conntrack-tools cannot carry: an IPv6 translation, long
// names and a zone.
func TestExpectationOurs(t *testing.T) {
	s := &ctnetlink.ExpectSpec{
		Family: ctnetlink.FamilyIPv6,
		Tuple:  flowTuple(ctnetlink.ProtoTCP, "[fd01::100]:0", "[fd02::100]:37989"),
		Mask:   flowTuple(ctnetlink.ProtoTCP, "[ffff::]:0", "[ffff::]:65535"),
		Master: flowTuple(ctnetlink.ProtoTCP, "[fd01::100]:47588", "[fd02::100]:21"),
		Helper: "netbios-ns-abc", Fn: "a-function-whose-name-is-long!", Class: 2, Flags: ctnetlink.ExpectPermanent,
		NAT: ctnetlink.ExpectNAT{Reply: true, Tuple: flowTuple(ctnetlink.ProtoTCP, "[fd03::1]:37989", "[::]:0")},
	}
	s.SetTimeout(300 * time.Second)
	o, err := AppendExpect(nil, expectOf(t, s), nil)
	if err != nil {
		t.Fatal(err)
	}
	var back ctnetlink.ExpectSpec
	if err := o.ExpectSpec(&back); err != nil || back != *s {
		t.Errorf("%v: %+v\nwant %+v", err, back, *s)
	}
	c := o.Classic()
	if c == nil || len(c) == len(o) {
		t.Fatalf("Classic: %x of %x", c, o)
	}
	if err := Object(c).ExpectSpec(&back); err != nil || back.Helper != "" || back.Fn != "" || back.NAT.Tuple.Src != (netip.Addr{}) {
		t.Errorf("for conntrack-tools: %v, %+v", err, back)
	}
	// An update that tells another name replaces a long one.
	short := *s
	short.Helper, short.Fn = "ftp", "f"
	so, err := AppendExpect(nil, expectOf(t, &short), nil)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := Merge(nil, ExpectUpdate, o, so)
	if err != nil || string(merged) != string(so) {
		t.Errorf("merged: %x, want %x, %v", merged, so, err)
	}
	// The zone is part of the key, and without it two may be the same.
	s.SetZone(7)
	if o, err = AppendExpect(nil, expectOf(t, s), nil); err != nil {
		t.Fatal(err)
	}
	if o.Classic() != nil || o.Key().ZoneOrig != 7 || o.Key().ZoneReply != 7 {
		t.Errorf("in a zone: Classic %x, key %+v", o.Classic(), o.Key())
	}
}
