package live

import (
	"math"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// TestDrops: Status reports what a full table drops per second.
func TestDrops(t *testing.T) {
	sysctls := engine.DefaultSysctls()
	sysctls.Buckets = 4 // a new entry looks in all of them for one to drop
	kernel := engine.New(engine.Options{Max: 10, Sysctls: sysctls})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, 5)
	table, _ := run(t, Options{Interval: time.Hour}, Source{Conn: conn.Beside(), Sysctl: settingsOf(defaults)})
	s := wait(t, table, "the counters", func(s *Status) bool { return s.StatsKnown })
	if s.Drops != 0 || s.EarlyDrops != 0 || s.InsertFailed != 0 || s.Maximum != 10 {
		t.Errorf("before: %+v", s)
	}
	makeEntries(t, conn, 5, 30)
	s = wait(t, table, "early drops", func(s *Status) bool { return s.EarlyDrops > 0 })
	if s.EarlyDrops > 30 || s.Drops != 0 || s.InsertFailed != 0 {
		t.Errorf("%+v", s)
	}
}

// TestDropRates: counters wrap around, and a CPU that comes later has counted before.
func TestDropRates(t *testing.T) {
	var a asked
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	if _, known := a.rates(); known {
		t.Error("known before the first sample")
	}
	a.sampled(at(0), map[int]drops{0: {math.MaxUint32 - 1, 5, 0}})
	if _, known := a.rates(); known {
		t.Error("known after one sample")
	}
	a.sampled(at(1), map[int]drops{0: {2, 5, 0}, 1: {1000, 1000, 1000}})
	if rates, known := a.rates(); !known || rates != [3]float64{4, 0, 0} {
		t.Errorf("%v, %v", rates, known)
	}
	a.sampled(at(2), map[int]drops{0: {2, 5, 0}, 1: {1004, 1000, 1006}})
	if rates, _ := a.rates(); rates != [3]float64{4, 0, 3} {
		t.Errorf("%v", rates)
	}
	for i := range 10 {
		a.sampled(at(3+i), map[int]drops{0: {2, 5, 0}, 1: {1004, 1000, 1006}})
	}
	if rates, known := a.rates(); !known || rates != [3]float64{} || len(a.samples) != ratesOver+1 {
		t.Errorf("%v of %d samples", rates, len(a.samples))
	}
}

// received is a listener that has received so many bytes.
type received uint64

func (r received) Received() uint64 { return uint64(r) }

func TestLag(t *testing.T) {
	var g lag
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	g.observe(100, at(0), received(100))
	if d := g.now(at(5000)); d != 0 {
		t.Errorf("nothing waits, but %v", d)
	}
	g.observe(200, at(10), received(700)) // 500 bytes wait
	g.observe(400, at(20), received(900))
	if d := g.now(at(25)); d != 15*time.Millisecond {
		t.Errorf("they have waited %v", d)
	}
	g.observe(700, at(40), received(900))
	if d := g.now(at(41)); d != 30*time.Millisecond {
		t.Errorf("they waited %v", d)
	}
	g.observe(900, at(45), received(900))
	if d := g.now(at(50)); d != 0 {
		t.Errorf("all was taken in, but %v", d)
	}
}

// TestFound: births and deaths that dumps find are rates over the last seconds, or over the
// last interval if that is longer.
func TestFound(t *testing.T) {
	start := time.Now()
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	var d dumped
	d.note(at(0), 0, 0)
	if births, deaths := d.rates(); births != 0 || deaths != 0 {
		t.Errorf("after one dump: %v, %v", births, deaths)
	}
	d.note(at(10), 50, 20)
	if births, deaths := d.rates(); births != 5 || deaths != 2 {
		t.Errorf("%v, %v", births, deaths)
	}
	d.note(at(20), 0, 0)
	if births, deaths := d.rates(); births != 0 || deaths != 0 {
		t.Errorf("%v, %v", births, deaths)
	}
	for i := range 100 {
		d.note(at(21+float64(i)/10), 1, 2)
	}
	births, deaths := d.rates()
	if births < 9.9 || births > 10.1 || deaths < 19.8 || deaths > 20.2 || len(d.found) > 10*ratesOver+2 {
		t.Errorf("%v, %v, of %d", births, deaths, len(d.found))
	}
}
