package filter_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

func addrRange(lo, hi string) filter.AddrRange { return filter.AddrRange{Min: addr(lo), Max: addr(hi)} }

func TestAddrSet(t *testing.T) {
	prefix := func(s string) filter.AddrRange { return filter.PrefixRange(netip.MustParsePrefix(s)) }
	const first4, last4 = "0.0.0.0", "255.255.255.255"
	const first6, last6 = "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	for _, c := range []struct {
		name   string
		in     []filter.AddrRange
		want   filter.AddrSet
		family ctnetlink.Family
	}{
		{"none", nil, filter.AddrSet{}, ctnetlink.FamilyAny},
		{"one", []filter.AddrRange{addrRange("10.0.0.1", "10.0.0.1")},
			filter.AddrSet{addrRange("10.0.0.1", "10.0.0.1")}, ctnetlink.FamilyIPv4},
		{"touching", []filter.AddrRange{addrRange("10.0.1.0", "10.0.1.9"), prefix("10.0.0.77/24")},
			filter.AddrSet{addrRange("10.0.0.0", "10.0.1.9")}, ctnetlink.FamilyIPv4},
		{"inside", []filter.AddrRange{prefix("fd00::/16"), prefix("fd00::7/127"), prefix("fd01::/128")},
			filter.AddrSet{addrRange("fd00::", "fd01::")}, ctnetlink.FamilyIPv6},
		{"all", []filter.AddrRange{prefix("0.0.0.0/0"), prefix("255.255.255.255/32")},
			filter.AddrSet{addrRange(first4, last4)}, ctnetlink.FamilyIPv4},
		{"both families do not touch", []filter.AddrRange{prefix("::/0"), prefix("0.0.0.0/0")},
			filter.AddrSet{addrRange(first4, last4), addrRange(first6, last6)}, ctnetlink.FamilyAny},
		{"a mapped address is one of IPv6", []filter.AddrRange{prefix("::ffff:10.0.0.1/128"), prefix("10.0.0.1/31")},
			filter.AddrSet{addrRange("10.0.0.0", "10.0.0.1"), addrRange("::ffff:10.0.0.1", "::ffff:10.0.0.1")},
			ctnetlink.FamilyAny},
	} {
		got := filter.NewAddrSet(c.in...)
		if !slices.Equal(got, c.want) || got == nil {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if got.Family() != c.family {
			t.Errorf("%s: family %v, want %v", c.name, got.Family(), c.family)
		}
	}
}

// TestAddrSetContains compares sets with a bitmap.
func TestAddrSetContains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	at := func(n int) netip.Addr { // 0 to 63 of IPv4, then as many of IPv6
		if n < 64 {
			return netip.AddrFrom4([4]byte{10, 0, byte((224 + n) >> 8), byte(224 + n)})
		}
		return netip.AddrFrom16([16]byte{0: 0xfd, 14: byte((192 + n) >> 8), 15: byte(192 + n)})
	}
	for range 500 {
		var in [128]bool
		var ranges []filter.AddrRange
		for range r.IntN(8) {
			v6 := 64 * r.IntN(2)
			lo := r.IntN(64)
			hi := lo + r.IntN(64-lo)
			ranges = append(ranges, filter.AddrRange{Min: at(v6 + lo), Max: at(v6 + hi)})
			for n := v6 + lo; n <= v6+hi; n++ {
				in[n] = true
			}
		}
		set := filter.NewAddrSet(ranges...)
		for n, want := range in {
			if got := set.Contains(at(n)); got != want {
				t.Fatalf("%v: %v is in the set: %v, want %v", ranges, at(n), got, want)
			}
		}
	}
}
