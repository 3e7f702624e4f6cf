package ctnetlink

import (
	"slices"
	"testing"
)

func TestLabels(t *testing.T) {
	for _, want := range [][]int{nil, {0}, {31, 32, 127}, {5, 63, 64, 96}} {
		l := NewLabels(want...)
		if got := slices.Collect(l.All()); !slices.Equal(got, want) {
			t.Errorf("All() of %v is %v", want, got)
		}
		for n := -1; n <= MaxLabels; n++ {
			if l.Has(n) != slices.Contains(want, n) {
				t.Errorf("Has(%d) of %v is %v", n, want, l.Has(n))
			}
		}
	}
	for range NewLabels(3, 40, 90).All() {
		break // an iterator must obey
	}
	if got := NewLabels(127, 4, 1).String(); got != "1,4,127" {
		t.Errorf("String() is %q", got)
	}
	// What a kernel sends may be of any length.
	for _, l := range []Labels{nil, {1}, {255, 255, 255}, {0, 0, 0, 0, 1}} {
		if got := slices.Collect(l.All()); got != nil {
			t.Errorf("All() of %x is %v", []byte(l), got)
		}
	}
}

func TestLabelsContain(t *testing.T) {
	short := NewLabels(1, 5)[:4]
	for _, c := range []struct {
		have, other Labels
		all, any    bool
	}{
		{nil, nil, true, false},
		{nil, NewLabels(), true, false},
		{nil, NewLabels(0), false, false},
		{NewLabels(1, 5, 127), NewLabels(5, 127), true, true},
		{NewLabels(1, 5, 127), NewLabels(5, 6), false, true},
		{NewLabels(1, 5, 127), NewLabels(2, 6), false, false},
		{short, NewLabels(1), true, true},
		{short, NewLabels(1, 64), false, true},
		{NewLabels(1, 64), short, false, true},
		{NewLabels(1, 5, 64), short, true, true},
	} {
		if all, some := c.have.ContainsAll(c.other), c.have.ContainsAny(c.other); all != c.all || some != c.any {
			t.Errorf("%x and %x: all %v, any %v, want %v, %v", c.have, c.other, all, some, c.all, c.any)
		}
	}
}
