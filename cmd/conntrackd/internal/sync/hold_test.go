package sync

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Ends of translated entries wait until the role is known.
func TestHold(t *testing.T) {
	const masqueraded = 0x198
	start := func() (*exchange, *station, *station) {
		x := newExchange(t, 1)
		a, b := x.add(1, testConfig(config.FTFW)), x.add(2, testConfig(config.FTFW))
		for i := range 100 {
			a.Event(wire.New, natObject(t, i, 100, masqueraded), false)
		}
		a.Event(wire.New, object(t, 1000, 100), false)
		x.run(3 * time.Second)
		b.alike(a)
		a.HoldDeletes()
		for i := range 100 {
			a.Event(wire.Delete, natObject(t, i, 100, masqueraded), false)
		}
		a.Event(wire.Delete, object(t, 1000, 100), false)
		x.run(3 * time.Second)
		if n := b.External.Stats.Active; n != 100 || a.Held() != 100 {
			t.Fatalf("%d entries are left, %d ends are held back", n, a.Held())
		}
		// One lives again.
		a.Event(wire.New, natObject(t, 7, 100, masqueraded), true)
		return x, a, b
	}
	for name, c := range map[string]struct {
		f    func(x *exchange, a, b *station)
		want uint64
	}{
		"the role is kept": {func(_ *exchange, a, _ *station) { a.SetRole(Primary) }, 1},
		"the role is lost": {func(_ *exchange, a, _ *station) { a.SetRole(Backup) }, 100},
		"it is lost, and an end comes late": {func(x *exchange, a, _ *station) {
			a.SetRole(Backup)
			x.run(holdTime / 2)
			a.Event(wire.Delete, natObject(t, 7, 100, masqueraded), false)
			a.Event(wire.New, natObject(t, 7, 100, masqueraded), true)
		}, 100},
		"it is lost, and an end comes much later": {func(x *exchange, a, _ *station) {
			a.SetRole(Backup)
			x.run(holdTime + time.Second)
			a.Event(wire.Delete, natObject(t, 7, 100, masqueraded), false)
			x.run(time.Second)
			a.Event(wire.New, natObject(t, 7, 100, masqueraded), true)
		}, 99},
		"a peer has taken over": {func(x *exchange, a, b *station) {
			b.SetRole(Primary)
			x.run(3 * time.Second)
			if a.Held() != 0 {
				t.Error("the ends are still held back")
			}
		}, 100},
		"addresses go all the time": {func(x *exchange, a, _ *station) {
			for range 6 {
				a.HoldDeletes()
				x.run(4 * time.Second)
			}
		}, 1},
		"nobody says anything": {func(x *exchange, _, _ *station) { x.run(holdTime) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			x, a, b := start()
			c.f(x, a, b)
			x.run(3 * time.Second)
			if n := b.External.Stats.Active; n != c.want {
				t.Errorf("%d entries are left", n)
			}
			if n := a.Internal.Stats.Total; n != 1 {
				t.Errorf("%d entries in the internal cache", n)
			}
		})
	}
}

// An end waits only if the entry is translated to an address that is gone.
func TestHoldAddresses(t *testing.T) {
	// natTo is an entry that is translated to an address; zero: to none.
	natTo := func(i int, status uint32, to netip.Addr) wire.Object {
		o := natObject(t, i, 100, status)
		if !to.IsValid() {
			return o
		}
		b := attr(slices.Clone([]byte(o)), 12, to.AsSlice()...)
		o, err := wire.Merge(nil, wire.New, nil, b)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	const masqueraded, plain = 0x198, 0x188
	gone, other := netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("10.99.0.1")
	own := netip.MustParseAddr("10.0.1.1") // source of an entry that is not translated
	for name, c := range map[string]struct {
		lost []netip.Addr
		want int
	}{
		"what is translated to":  {[]netip.Addr{gone}, 1},
		"another one":            {[]netip.Addr{other}, 0},
		"both":                   {[]netip.Addr{other, gone}, 1},
		"an own connection's":    {[]netip.Addr{own}, 1},
		"of a link without IPv4": {[]netip.Addr{other, netip.IPv4Unspecified()}, 1},
		"of a link without IPv6": {[]netip.Addr{other, netip.IPv6Unspecified()}, 0},
		"not known which":        {nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			a, b := x.add(1, testConfig(config.FTFW)), x.add(2, testConfig(config.FTFW))
			list := []wire.Object{natTo(1, masqueraded, gone), natTo(1<<16, plain, netip.Addr{}), object(t, 3, 100)}
			for _, o := range list {
				a.Event(wire.New, o, false)
			}
			x.run(3 * time.Second)
			b.alike(a)
			a.HoldDeletes(c.lost...)
			for _, o := range list {
				a.Event(wire.Delete, o, false)
			}
			x.run(time.Second)
			if n := int(b.External.Stats.Active); n != c.want || a.Held() != c.want {
				t.Errorf("%d entries are left, %d ends are held back, want %d", n, a.Held(), c.want)
			}
			x.run(holdTime)
			b.alike(a)
		})
	}

	// A link that comes and goes does not have others' ends wait for longer.
	x := newExchange(t, 1)
	a, b := x.add(1, testConfig(config.FTFW)), x.add(2, testConfig(config.FTFW))
	a.Event(wire.New, natTo(1, masqueraded, gone), false)
	x.run(3 * time.Second)
	a.HoldDeletes(gone)
	for range 4 {
		x.run(holdTime / 3)
		a.HoldDeletes(other)
	}
	a.Event(wire.Delete, natTo(1, masqueraded, gone), false)
	x.run(time.Second)
	if a.Held() != 0 || b.External.Stats.Active != 0 {
		t.Error("the end waits for an address that is gone for long")
	}
	for i := range 2 * maxLost {
		a.HoldDeletes(netip.AddrFrom4([4]byte{10, 98, byte(i >> 8), byte(i)}))
	}
	if n := len(a.hold.lost); n > maxLost {
		t.Errorf("%d addresses are kept", n)
	}
	a.Event(wire.New, natTo(1, masqueraded, gone), false)
	a.Event(wire.Delete, natTo(1, masqueraded, gone), false)
	if a.Held() != 1 {
		t.Error("too many addresses are gone, and the end does not wait")
	}
}

// The end of an expectation waits with that of its master.
func TestHoldExpected(t *testing.T) {
	gone, other := netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("10.99.0.1")
	c := testConfig(config.FTFW)
	c.Expect = true
	for lost, want := range map[netip.Addr]int{gone: 1, other: 0} {
		x := newExchange(t, 1)
		a, b := x.add(1, c), x.add(2, c)
		master := natObject(t, 1, 100, 0x198)
		master, err := wire.Merge(nil, wire.New, nil, attr(slices.Clone([]byte(master)), 12, gone.AsSlice()...))
		if err != nil {
			t.Fatal(err)
		}
		expected := expectation(t, master, 54, 100)
		a.Event(wire.New, master, false)
		a.Event(wire.ExpectNew, expected, false)
		x.run(3 * time.Second)
		if n := b.ExternalExpect.Stats.Active; n != 1 {
			t.Fatalf("%d expectations", n)
		}
		a.HoldDeletes(lost)
		a.Event(wire.Delete, master, false)
		a.Event(wire.ExpectDelete, expected, false)
		x.run(time.Second)
		if n := int(b.ExternalExpect.Stats.Active); n != want {
			t.Errorf("%d expectations after the loss of %v, want %d", n, lost, want)
		}
		x.run(holdTime)
		if n := b.ExternalExpect.Stats.Active + b.External.Stats.Active; n != 0 {
			t.Errorf("%d are left in the end", n)
		}
	}
}

// Ends that are held back take no space from entries that live.
func TestHoldFull(t *testing.T) {
	const masqueraded, limit = 0x198, 150
	x := newExchange(t, 1)
	c := testConfig(config.FTFW)
	c.HashLimit = limit
	a, b := x.add(1, c), x.add(2, testConfig(config.FTFW))
	for i := range 100 {
		a.Event(wire.New, natObject(t, i, 100, masqueraded), false)
	}
	x.run(3 * time.Second)
	a.HoldDeletes()
	for i := range 100 {
		a.Event(wire.Delete, natObject(t, i, 100, masqueraded), false)
	}
	for i := range limit {
		a.Event(wire.New, object(t, 1000+i, 100), false)
	}
	if got := a.Internal.Stats.Active; got != limit || a.Held() != 0 {
		t.Errorf("%d of %d entries, %d ends are held back", got, limit, a.Held())
	}
	x.run(holdTime + 3*time.Second)
	b.alike(a)
	if got := b.External.Stats.Active; got != limit {
		t.Errorf("%d entries at the other node, want %d", got, limit)
	}
}
