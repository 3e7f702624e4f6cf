package filter_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gonntrack/gonntrack/filter"
)

func TestSet(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []filter.Range
		want filter.Set
		not  filter.Set // up to 99
	}{
		{"one", []filter.Range{{5, 5}}, filter.Set{{5, 5}}, filter.Set{{0, 4}, {6, 99}}},
		{"touching", []filter.Range{{5, 9}, {0, 4}}, filter.Set{{0, 9}}, filter.Set{{10, 99}}},
		{"inside", []filter.Range{{1, 90}, {5, 9}, {89, 91}}, filter.Set{{1, 91}}, filter.Set{{0, 0}, {92, 99}}},
		{"all", []filter.Range{{0, 99}}, filter.Set{{0, 99}}, filter.Set{}},
		{"to the end", []filter.Range{{7, math.MaxUint32}, {3, 3}},
			filter.Set{{3, 3}, {7, math.MaxUint32}}, filter.Set{{0, 2}, {4, 6}}},
		{"none", nil, filter.Set{}, filter.Set{{0, 99}}},
	} {
		got := filter.NewSet(c.in...)
		if !slices.Equal(got, c.want) || got == nil {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if not := got.Complement(99); !slices.Equal(not, c.not) || not == nil {
			t.Errorf("%s: the complement is %v, want %v", c.name, not, c.not)
		}
	}
}

// TestSetContains compares sets with a bitmap.
func TestSetContains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var in [64]bool
		var ranges []filter.Range
		for range r.IntN(6) {
			lo := r.Uint32N(64)
			hi := lo + r.Uint32N(64-lo)
			ranges = append(ranges, filter.Range{Min: lo, Max: hi})
			for n := lo; n <= hi; n++ {
				in[n] = true
			}
		}
		set := filter.NewSet(ranges...)
		not := set.Complement(63)
		for n, want := range in {
			if set.Contains(uint32(n)) != want || not.Contains(uint32(n)) == want {
				t.Fatalf("%v: %d is in the set %v and in the complement %v; want %v", ranges, n,
					set.Contains(uint32(n)), not.Contains(uint32(n)), want)
			}
		}
	}
}
