package live

import (
	"testing"
	"time"
)

func TestHistory(t *testing.T) {
	var h history
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	if points := h.last(start, 10); points != nil {
		t.Errorf("before the start: %v", points)
	}
	h.begin(start)
	h.add(at(0.1), 3, 1, 2)
	h.add(at(0.999), 1, 0, 3)
	h.add(at(1), 5, 2, 6)
	h.add(at(4.5), 7, 7, 6)
	want := []Point{{start, 3, 4, 1}, {at(1), 6, 5, 2}, {at(2), 6, 0, 0}, {at(3), 6, 0, 0}}
	check := func(now float64, n int, want []Point) {
		t.Helper()
		got := h.last(at(now), n)
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("point %d: %v, want %v", i, got[i], want[i])
			}
		}
	}
	check(4.6, 100, want)
	check(4.6, 3, want[1:])
	check(4.6, 0, nil)
	check(6.1, 2, []Point{{at(4), 6, 7, 7}, {at(5), 6, 0, 0}})
	if births, deaths := h.rates(at(2.5)); births*3 != 7 || deaths*3 != 7 {
		t.Errorf("rates %v, %v", births, deaths) // of seconds 3 to 5: time does not go back
	}
}

// TestHistoryIsBounded: after a long time only the last seconds are there, and a time
// without anything is passed over at once.
func TestHistoryIsBounded(t *testing.T) {
	var h history
	start := time.Now()
	h.begin(start)
	for i := range 2 * historyLength {
		h.add(start.Add(time.Duration(i)*time.Second), i, 0, i)
	}
	points := h.last(start.Add(2*historyLength*time.Second), 10*historyLength)
	if len(points) != historyLength-1 || points[0].Births != historyLength+1 ||
		points[len(points)-1].Births != 2*historyLength-1 {
		t.Errorf("%d points, from %v", len(points), points[0])
	}
	later := start.Add(1e9 * time.Second)
	points = h.last(later, 2*historyLength)
	if len(points) != historyLength-1 {
		t.Fatalf("%d points", len(points))
	}
	for _, p := range points {
		if p.Births != 0 || p.Entries != 2*historyLength-1 {
			t.Fatalf("long after: %v", p)
		}
	}
}

// TestHistorySpread: what a dump found is spread over the time since the one before,
// and nothing is lost or counted twice by the rounding.
func TestHistorySpread(t *testing.T) {
	start := time.Now()
	for _, c := range []struct {
		from, to       time.Duration
		births, deaths int
	}{
		{0, 10 * time.Second, 100, 7},
		{1500 * time.Millisecond, 4250 * time.Millisecond, 11, 1},
		{2 * time.Second, 2*time.Second + 1, 5, 5},
		{2 * time.Second, 2 * time.Second, 5, 5},
		{-5 * time.Second, 3 * time.Second, 9, 9},
		{0, 2 * historyLength * time.Second, 2 * historyLength, 0},
	} {
		var h history
		h.begin(start)
		h.spread(start.Add(c.from), start.Add(c.to), c.births, c.deaths)
		var births, deaths, most float64
		for _, p := range h.last(start.Add(c.to+time.Second), 10*historyLength) {
			births, deaths, most = births+p.Births, deaths+p.Deaths, max(most, p.Births)
		}
		want := float64(c.births)
		if c.to > historyLength*time.Second {
			want = historyLength - 2 // the older ones are not kept
		}
		if births != want || deaths != float64(c.deaths) {
			t.Errorf("%v to %v: %v births, %v deaths", c.from, c.to, births, deaths)
		}
		if seconds := (c.to - max(c.from, 0)).Seconds(); seconds > 1 && most > float64(c.births)/seconds+1 {
			t.Errorf("%v to %v: %v in one second", c.from, c.to, most)
		}
	}
}

// TestHistoryKnown: where only dumps tell of births, the seconds since the last dump
// are not shown.
func TestHistoryKnown(t *testing.T) {
	var h history
	start := time.Now()
	h.begin(start)
	h.known(start.Add(5 * time.Second))
	if points := h.last(start.Add(9*time.Second), 100); len(points) != 5 {
		t.Errorf("%d points", len(points))
	}
	h.known(time.Time{})
	if points := h.last(start.Add(9*time.Second), 100); len(points) != 9 {
		t.Errorf("%d points", len(points))
	}
}
