package engine

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	pk "github.com/gonntrack/gonntrack/internal/packets"
)

// ttl1 is a packet that no router forwards, with other things wrong.
func ttl1(src, dst string) pk.UDP {
	return pk.UDP{Src: netip.AddrPortFrom(pk.Addr(src), 1000), Dst: netip.AddrPortFrom(pk.Addr(dst), 53), IP: pk.IP{TTL: 1}}
}

// TestHostView: what is not a router passes everything on that is not for it.
func TestHostView(t *testing.T) {
	strange := []pk.UDP{
		ttl1("10.0.0.2", "192.0.2.2"), ttl1("0.0.0.0", "192.0.2.2"), ttl1("224.0.0.1", "192.0.2.2"), ttl1("10.0.0.2", "0.0.0.0"),
		ttl1("10.0.0.2", "239.1.1.1"), ttl1("10.0.0.2", "255.255.255.255"), ttl1("fe80::2", "fe80::3"), ttl1("::", "fd01::2"),
		ttl1("fd00::2", "ff02::5"),
	}
	lsrr := ttl1("10.0.0.2", "192.0.2.3")
	lsrr.IP.Options = []byte{0x83, 7, 4, 10, 0, 0, 5, 0}
	strange = append(strange, lsrr)
	tab := New(Options{})
	router := New(Options{Host: Host{Router: true}})
	for _, p := range strange {
		b := p.Bytes()
		v := tab.Track(&Packet{Data: b, Time: time.Unix(1000, 0)})
		if v.State != StateNew || !v.Confirmed || v.Fate != Forwarded || len(v.Leaves) != 1 || &v.Leaves[0][0] != &b[0] {
			t.Errorf("%s: %s, confirmed %t, %s", pk.Describe(b), v.State, v.Confirmed, v.Fate)
		}
		// A router delivers the broadcast and drops the others.
		v = router.Track(&Packet{Data: b, Time: time.Unix(1000, 0)})
		broadcast := p.Dst.Addr() == pk.Addr("255.255.255.255")
		if v.State != StateNew || v.Confirmed != broadcast || v.Fate != Dropped && !broadcast || v.Fate != Delivered && broadcast {
			t.Errorf("router, %s: %s, confirmed %t, %s", pk.Describe(b), v.State, v.Confirmed, v.Fate)
		}
	}
}

// TestDelivered: what is for this machine, as Linux says with these addresses.
func TestDelivered(t *testing.T) {
	h := Host{Router: true}
	for _, a := range []string{
		"10.0.0.1/32", "10.9.0.1/24", "10.9.1.1/31", "10.9.2.5/30", "127.0.0.1/8", "fd00:9::1/64", "fd00:8::1/127", "fe80::a/64",
	} {
		h.Addrs = append(h.Addrs, Addr{"a", netip.MustParsePrefix(a)})
	}
	const in, on, not = Delivered, Forwarded, Dropped
	for _, c := range []struct {
		src, dst string
		want     Fate
	}{
		{"10.0.0.2", "10.0.0.1", in}, {"10.0.0.2", "10.9.0.1", in}, {"10.0.0.2", "10.9.0.255", in},
		{"10.0.0.2", "10.9.0.0", on}, {"10.0.0.2", "10.9.0.7", on}, {"10.0.0.2", "10.9.1.1", in},
		{"10.0.0.2", "10.9.1.0", on}, {"10.0.0.2", "10.9.2.7", in}, {"10.0.0.2", "10.9.2.4", on},
		{"10.0.0.2", "127.5.5.5", in}, {"10.0.0.2", "255.255.255.255", in}, {"0.0.0.0", "255.255.255.255", in},
		{"0.0.0.0", "0.0.0.0", in}, {"0.0.0.0", "10.0.0.1", not}, {"10.0.0.2", "0.0.0.0", not},
		{"10.0.0.2", "224.0.0.1", in}, {"0.0.0.0", "224.0.0.1", in}, {"10.0.0.2", "224.0.0.2", not},
		{"10.9.0.255", "192.0.2.2", on}, {"127.0.0.1", "10.0.0.1", in}, {"240.0.0.1", "192.0.2.2", on},
		{"fd00::2", "fd00:9::1", in}, {"fd00::2", "fd00:9::", in}, {"fd00::2", "fd00:9::ff", on},
		{"fd00::2", "fd00:8::", on}, {"fd00::2", "fe80::a", in}, {"fd00::2", "fe80::b", on},
		{"fe80::5", "fe80::a", in}, {"fe80::5", "fd00:9::1", in}, {"fe80::5", "fd01::1", not},
		{"fd00::2", "ff02::1", in}, {"fd00::2", "ff02::2", in}, {"fd00::2", "ff02::fb", not},
		{"fd00::2", "ff02::1:ff00:a", in}, {"fd00::2", "ff02::1:ff00:b", not}, {"::", "ff02::1", in},
	} {
		p := ttl1(c.src, c.dst)
		for _, ttl := range []int{64, 1} {
			p.IP.TTL = ttl
			want := c.want
			if ttl == 1 && want == on {
				want = not
			}
			v := New(Options{Host: h}).Track(&Packet{Data: p.Bytes(), Time: time.Unix(1000, 0), In: "a"})
			if v.Fate != want || v.State != StateNew || v.Confirmed != (want != not) {
				t.Errorf("%s > %s, TTL %d: %s, want %s (%s)", c.src, c.dst, ttl, v.Fate, want, v.Reason)
			}
		}
	}
}

// hookRules notrack at a priority, redirect what goes to port 53, and note the
// priorities that were run.
type hookRules struct {
	t       *testing.T
	notrack int32
	nat     bool
	ran     [Postrouting + 1][][2]int32
}

func (r *hookRules) Run(h Hook, from, to int32, m Meta) Action {
	r.ran[h] = append(r.ran[h], [2]int32{from, to})
	if h == Prerouting && from <= r.notrack && r.notrack < to {
		m.NoTrack()
	}
	return Accept
}

func (r *hookRules) HasNAT(ctnetlink.Family) bool { return r.nat }

func (r *hookRules) NAT(h Hook, m Meta, to *Translation) (Action, bool) {
	*to = Translation{Kind: DNAT, MinAddr: netip.MustParseAddr("10.0.0.1"), MaxAddr: netip.MustParseAddr("10.0.0.1")}
	return Accept, h == Prerouting
}

// TestHookOrder: a chain excludes from tracking up to the priority of tracking,
// and fragments one by one up to the priority of reassembly. Every priority is
// run once.
func TestHookOrder(t *testing.T) {
	p := pk.UDP{Src: pk.Port("10.0.0.2:1000"), Dst: pk.Port("192.0.2.2:53"), Data: make([]byte, 40)}.Bytes()
	for _, c := range []struct {
		priority int32
		want     [2]State
	}{
		{-450, [2]State{StateUntracked, StateUntracked}}, {-401, [2]State{StateUntracked, StateUntracked}},
		{-400, [2]State{StateUntracked, StateUntracked}}, {-399, [2]State{StateNone, StateUntracked}},
		{-300, [2]State{StateNone, StateUntracked}}, {-200, [2]State{StateNone, StateUntracked}},
		{-199, [2]State{StateNone, StateNew}},
	} {
		r := &hookRules{t: t, notrack: c.priority}
		tab := New(Options{Rules: r})
		for i, f := range pk.Fragments(p, 9, 24) {
			if v := tab.Track(&Packet{Data: f, Time: time.Unix(1000, 0)}); v.State != c.want[i] {
				t.Errorf("notrack at %d, fragment %d: %s, want %s", c.priority, i+1, v.State, c.want[i])
			}
		}
	}
	for _, where := range []Where{Forward, Input, Output} {
		r := &hookRules{t: t}
		New(Options{Rules: r}).Track(&Packet{Data: p, Time: time.Unix(1000, 0), Where: where})
		for h, ran := range r.ran {
			next := int32(math.MinInt32)
			for _, x := range ran {
				if x[0] != next {
					t.Errorf("%d, %s: after the priorities below %d those from %d are run", where, Hook(h), next, x[0])
				}
				next = x[1]
			}
			if len(ran) > 0 && next != math.MaxInt32 {
				t.Errorf("%d, %s: the priorities from %d are not run", where, Hook(h), next)
			}
		}
	}
}

// TestTranslatedToHost: a packet whose destination becomes an address of this
// machine is delivered, and one for this machine that does not is forwarded.
func TestTranslatedToHost(t *testing.T) {
	addrs := []Addr{{"a", netip.MustParsePrefix("10.0.0.1/24")}}
	p := pk.UDP{Src: pk.Port("10.0.0.2:1000"), Dst: pk.Port("192.0.2.2:53")}.Bytes()
	for _, c := range []struct {
		where Where
		nat   bool
		addrs []Addr
		want  Fate
	}{
		{Forward, false, addrs, Forwarded},
		{Forward, true, addrs, Delivered},
		{Input, false, addrs, Delivered},
		{Input, true, addrs, Delivered},
		{Input, true, []Addr{{"a", netip.MustParsePrefix("10.0.0.9/24")}}, Translated},
		{Input, true, nil, Delivered},
		{Output, true, addrs, Forwarded},
	} {
		tab := New(Options{Rules: &hookRules{t: t, nat: c.nat}, Host: Host{Addrs: c.addrs}})
		v := tab.Track(&Packet{Data: p, Time: time.Unix(1000, 0), Where: c.where, In: "a"})
		if v.Fate != c.want || !v.Confirmed {
			t.Errorf("%d, NAT %t, addresses %v: %s, want %s (%s)", c.where, c.nat, c.addrs, v.Fate, c.want, v.Reason)
		}
	}
}

// TestStampOption: the counter of what did not fit ends a packet when it is full,
// but not with addresses given by the sender.
func TestStampOption(t *testing.T) {
	for _, c := range []struct {
		o    []byte
		want ReasonCode
	}{
		{[]byte{68, 8, 5, 0, 0, 0, 0, 0}, NoReason}, {[]byte{68, 8, 9, 0, 0, 0, 0, 0}, NoReason},
		{[]byte{68, 8, 10, 0xf0, 0, 0, 0, 0}, BadIPOptions}, {[]byte{68, 8, 10, 0xf1, 0, 0, 0, 0}, BadIPOptions},
		{[]byte{68, 7, 9, 0xf3, 0, 0, 0, 0}, NoReason}, {[]byte{68, 8, 4, 0, 0, 0, 0, 0}, BadIPOptions},
		{[]byte{68, 4, 5, 0}, NoReason}, {[]byte{68, 3, 5, 0}, BadIPOptions}, {[]byte{68, 8, 5, 1, 0, 0, 0, 0}, BadIPOptions},
	} {
		if got := checkOptions4(c.o); got != c.want {
			t.Errorf("%x: %s", c.o, Reason{Code: got})
		}
	}
}
