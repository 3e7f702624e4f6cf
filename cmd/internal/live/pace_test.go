package live

import (
	"context"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// newPace returns the pace of a program that has started long ago.
func newPace(interval time.Duration, share float64) *pace {
	p := new(pace)
	p.init(interval, share)
	p.ended = 2
	return p
}

// TestPaceFirst: what the start of the program costs is not put down to dumps.
func TestPaceFirst(t *testing.T) {
	for _, c := range []struct {
		costs []time.Duration
		want  time.Duration
	}{
		{[]time.Duration{150 * time.Millisecond}, time.Second},
		{[]time.Duration{900 * time.Millisecond}, 7 * time.Second},
		{[]time.Duration{900 * time.Millisecond, 10 * time.Millisecond}, time.Second},
		{[]time.Duration{900 * time.Millisecond, 800 * time.Millisecond}, 8 * time.Second},
		{[]time.Duration{900 * time.Millisecond, 800 * time.Millisecond, 400 * time.Millisecond}, 6 * time.Second},
	} {
		p := new(pace)
		p.init(time.Second, 0.1)
		for _, cost := range c.costs {
			p.end(cost)
		}
		if _, now := p.intervals(); now != c.want {
			t.Errorf("after costs of %v: every %v, want %v", c.costs, now, c.want)
		}
	}
}

func TestPaceInterval(t *testing.T) {
	p := newPace(0, 0)
	for _, c := range []struct {
		cost, want time.Duration
	}{
		{0, time.Second},
		{10 * time.Millisecond, time.Second},
		{100 * time.Millisecond, time.Second},
		{800 * time.Millisecond, 8 * time.Second},
		{2 * time.Second, 20 * time.Second},
		{time.Second, 15 * time.Second}, // half of the difference
		{0, 7500 * time.Millisecond},
	} {
		p.end(c.cost)
		if asked, now := p.intervals(); asked != time.Second || now != c.want {
			t.Errorf("after a cost of %v: %v asked, %v, want %v", c.cost, asked, now, c.want)
		}
	}
	p = newPace(2*time.Second, 0.5)
	p.end(2 * time.Second)
	if asked, now := p.intervals(); asked != 2*time.Second || now != 4*time.Second {
		t.Errorf("a share of a half: %v asked, %v", asked, now)
	}
	p.ask(0)
	if asked, _ := p.intervals(); asked != minInterval {
		t.Errorf("an interval of 0 is taken for %v", asked)
	}
}

// TestPaceHurry: after a loss the next dump does not wait for the interval that was
// asked for, but for what it may cost.
func TestPaceHurry(t *testing.T) {
	p := newPace(time.Minute, 0.1)
	began := time.Now()
	p.begin(began)
	p.end(30 * time.Millisecond)
	if next := p.next().Sub(began); next != time.Minute {
		t.Errorf("the next dump comes after %v", next)
	}
	p.hurry()
	if next := p.next().Sub(began); next != 300*time.Millisecond {
		t.Errorf("the next dump after a loss comes after %v", next)
	}
	p.begin(began)
	if next := p.next().Sub(began); next != time.Minute {
		t.Errorf("the one after it comes after %v", next)
	}
}

// TestPaceWait: a wait ends early when a dump is wanted, or when the context ends.
func TestPaceWait(t *testing.T) {
	p := newPace(time.Hour, 0.1)
	if !p.wait(t.Context()) {
		t.Fatal("the first dump was not made at once")
	}
	for name, change := range map[string]func(){"hurry": p.hurry, "ask": func() { p.ask(minInterval) }} {
		p.asked = time.Hour
		p.begin(time.Now())
		done := make(chan bool, 1)
		go func() { done <- p.wait(t.Context()) }()
		change()
		select {
		case goOn := <-done:
			if !goOn {
				t.Errorf("%s: the wait was given up", name)
			}
		case <-time.After(testwait.Scale(10 * time.Second)):
			t.Fatalf("%s: still waiting", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	p.asked = time.Hour
	p.begin(time.Now())
	cancel()
	if p.wait(ctx) {
		t.Error("it went on although the context has ended")
	}
}

// burn keeps a core busy for a time of the processor.
func burn(d time.Duration) {
	for start, x := processTime(), 1; processTime()-start < d && x != 0; x++ {
		for i := range 1000 {
			x ^= i
		}
		x |= 1
	}
}

// TestMeter: a cost is what was used meanwhile, without what is used all the time.
func TestMeter(t *testing.T) {
	var m meter
	m.begin()
	burn(60 * time.Millisecond)
	if cost := m.end(); cost < 60*time.Millisecond || cost > 120*time.Millisecond {
		t.Errorf("60 ms cost %v", cost)
	}
	m = meter{at: time.Now().Add(-time.Second), used: processTime() - time.Second/2}
	m.begin() // half a core is used all the time
	if m.ordinary < 0.45 || m.ordinary > 0.55 {
		t.Fatalf("the ordinary use is %.2f of a core", m.ordinary)
	}
	burn(60 * time.Millisecond)
	whole := processTime() - m.used
	if cost := m.end(); cost < whole/2 || cost > whole*9/10 {
		t.Errorf("of %v, %v are put down to the dump", whole, cost)
	}
}
