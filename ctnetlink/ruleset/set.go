package ruleset

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// values is what a match compares with: ranges of numbers, ranges of addresses
// or names of interfaces.
type values struct {
	numbers []span[uint32]
	addrs4  []span[[4]byte]
	addrs6  []span[[16]byte]
	names   []string // a name may end in *
}

// span is a range with both ends.
type span[T any] struct{ min, max T }

// inNumbers reports whether n is in one of the ranges.
func (v *values) inNumbers(n uint32) bool {
	for _, s := range v.numbers {
		if n >= s.min && n <= s.max {
			return true
		}
	}
	return false
}

// inAddrs reports whether an address, of four or sixteen bytes, is in one of the
// ranges.
func (v *values) inAddrs(a []byte) bool {
	if len(a) == 4 {
		return within(v.addrs4, [4]byte(a), func(x *[4]byte) []byte { return x[:] })
	}
	return within(v.addrs6, [16]byte(a), func(x *[16]byte) []byte { return x[:] })
}

// within searches sorted ranges.
func within[T any](spans []span[T], a T, b func(*T) []byte) bool {
	lo, hi := 0, len(spans)
	for lo < hi {
		mid := (lo + hi) / 2
		switch {
		case bytes.Compare(b(&a), b(&spans[mid].min)) < 0:
			hi = mid
		case bytes.Compare(b(&a), b(&spans[mid].max)) > 0:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

// inNames reports whether the name of an interface is one of the names.
func (v *values) inNames(name string) bool {
	for _, n := range v.names {
		if prefix, ok := strings.CutSuffix(n, "*"); n == name || ok && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (v *values) addAddrs(lo, hi netip.Addr) {
	if lo.Is4() {
		v.addrs4 = append(v.addrs4, span[[4]byte]{lo.As4(), hi.As4()})
	} else {
		v.addrs6 = append(v.addrs6, span[[16]byte]{lo.As16(), hi.As16()})
	}
}

// merge adds the elements of another set.
func (v *values) merge(o *values) {
	v.numbers = append(v.numbers, o.numbers...)
	v.addrs4 = append(v.addrs4, o.addrs4...)
	v.addrs6 = append(v.addrs6, o.addrs6...)
	v.names = append(v.names, o.names...)
}

// sort puts the ranges of addresses into order; ranges that overlap are merged.
func (v *values) sort() {
	v.addrs4 = tidy(v.addrs4, func(x *[4]byte) []byte { return x[:] })
	v.addrs6 = tidy(v.addrs6, func(x *[16]byte) []byte { return x[:] })
}

func tidy[T any](spans []span[T], b func(*T) []byte) []span[T] {
	slices.SortFunc(spans, func(x, y span[T]) int {
		return cmp.Or(bytes.Compare(b(&x.min), b(&y.min)), bytes.Compare(b(&x.max), b(&y.max)))
	})
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && bytes.Compare(b(&s.min), b(&out[n-1].max)) <= 0 {
			if bytes.Compare(b(&s.max), b(&out[n-1].max)) > 0 {
				out[n-1].max = s.max
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// lastOf returns the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
