package stats

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// randomValue returns a value of any kind, and its encoding. There are few
// different values, so that equal ones are frequent.
func randomValue(r *rand.Rand) (Value, []byte) {
	v4 := netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(2)), byte(r.IntN(3))})
	v6 := netip.AddrFrom16([16]byte{0: 0x20, 7: byte(r.IntN(2)), 15: byte(r.IntN(3))})
	switch r.IntN(6) {
	case 0:
		return Value{}, AppendAbsent(nil)
	case 1:
		n := []uint64{0, 1, 9, 10, 255, 256, 65535, 1 << 24, math.MaxUint32, 1 << 40, math.MaxUint64}[r.IntN(11)]
		return Value{Kind: Number, Number: n}, AppendNumber(nil, n)
	case 2:
		return Value{Kind: Addr, Addr: v4}, AppendAddr(nil, v4)
	case 3:
		return Value{Kind: Addr, Addr: v6}, AppendAddr(nil, v6)
	case 4:
		a, bits := v4, r.IntN(33)
		if r.IntN(2) == 0 {
			a, bits = v6, r.IntN(129)
		}
		return Value{Kind: Network, Addr: netip.PrefixFrom(a, bits).Masked().Addr(), Bits: bits}, AppendNetwork(nil, a, bits)
	}
	text := []byte([]string{"", "a", "ab", "b", "\x01", "\xff\xfe", "ab\x01"}[r.IntN(7)])
	return Value{Kind: Text, Text: text}, AppendText(nil, text)
}

// compareValues compares values of one kind, field by field; an absent value is
// less than any other.
func compareValues(a, b Value) int {
	return cmp.Or(cmp.Compare(min(a.Kind, 1), min(b.Kind, 1)), cmp.Compare(a.Number, b.Number), a.Addr.Compare(b.Addr),
		cmp.Compare(a.Bits, b.Bits), bytes.Compare(a.Text, b.Text))
}

func TestValues(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for range 20000 {
		a, codeA := randomValue(r)
		b, codeB := randomValue(r)
		behind := []byte{byte(r.Uint32()), 0, byte(r.Uint32())}
		for _, v := range []struct {
			Value
			code []byte
		}{{a, codeA}, {b, codeB}} {
			n := cut(append(slices.Clone(v.code), behind...))
			if n != len(v.code) {
				t.Fatalf("%v ends at %d of %x", v.Value, n, v.code)
			}
			if got := decode(v.code); got.Kind != v.Kind || compareValues(got, v.Value) != 0 {
				t.Fatalf("%x is %v, want %v", v.code, got, v.Value)
			}
		}
		if got := Values(slices.Concat(codeA, codeB)); len(got) != 2 || got[0].Kind != a.Kind || got[1].Kind != b.Kind ||
			compareValues(got[0], a) != 0 || compareValues(got[1], b) != 0 {
			t.Fatalf("%x and %x are %v, want %v and %v", codeA, codeB, got, a, b)
		}
		if (a.Kind == b.Kind || a.Kind == Absent || b.Kind == Absent) && bytes.Compare(codeA, codeB) != compareValues(a, b) {
			t.Fatalf("%v and %v: codes %x and %x are in another order", a, b, codeA, codeB)
		}
		if (bytes.Equal(codeA, codeB)) != (a.Kind == b.Kind && compareValues(a, b) == 0) {
			t.Fatalf("%v and %v: codes %x and %x", a, b, codeA, codeB)
		}
	}
}

// TestTextWithNUL checks that a name ends at the first NUL, so that it cannot be
// read as two values.
func TestTextWithNUL(t *testing.T) {
	if got := AppendText(nil, []byte("a\x00\x40b")); !bytes.Equal(got, AppendText(nil, []byte("a"))) {
		t.Errorf("%x", got)
	}
}
