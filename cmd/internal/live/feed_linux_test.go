package live

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// kernelTable returns a table of the kernel, that of a network namespace that ends
// with the test, with the given settings.
func kernelTable(t testing.TB, settings map[string]uint64) (*ctnetlink.Conn, Source) {
	t.Helper()
	file, err := netlab.Namespace(settings)
	if err != nil {
		t.Skipf("SKIPPED, no network namespace: %v", err)
	}
	conn := ctnetlink.OpenIn(file)
	if _, _, err := conn.Count(); err != nil {
		t.Skipf("SKIPPED, no connection tracking: %v", err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = file.Close()
	})
	return conn, Source{Conn: conn.Beside(), Sysctl: settingsOf(settings)}
}

// TestKernel: events and dumps of the kernel's table together give what is in it.
func TestKernel(t *testing.T) {
	conn, source := kernelTable(t, defaults)
	makeEntries(t, conn, 0, 2000)
	table, _ := run(t, Options{Interval: time.Hour}, source)
	s := wait(t, table, "the first dump", func(s *Status) bool { return !s.Reading && s.Total == 2000 })
	if s.Entries != 2000 || s.Maximum == 0 || s.EventsOff != "" || s.AccountingOff || !s.TimestampsOff {
		t.Errorf("%+v", s)
	}
	makeEntries(t, conn, 2000, 7000)
	wait(t, table, "births", entries(7000))
	deleteEntries(t, conn, 3000, 6000)
	wait(t, table, "deaths", entries(4000))
	waitTotal(t, table, 5000, 3000)
	// The kernel sends no event of the end of an entry that was made while nobody listened.
	deleteEntries(t, conn, 0, 1500)
	table.SetInterval(minInterval)
	wait(t, table, "ends that only a dump finds", entries(2500))
	waitTotal(t, table, 5000, 4500)
	s = wait(t, table, "counters", func(s *Status) bool { return s.StatsKnown && s.RatesKnown && s.Total == 2500 })
	if s.Drops != 0 || s.EarlyDrops != 0 || s.InsertFailed != 0 || s.Loss != (ctnetlink.Loss{}) || s.Failed != nil {
		t.Errorf("%+v", s)
	}
}

// TestKernelLoss: lost events are counted, and a dump follows that puts the copy
// right although the next one was not due for an hour.
func TestKernelLoss(t *testing.T) {
	conn, source := kernelTable(t, defaults)
	table := New([]Source{source}, Options{Interval: time.Hour})
	table.feed.parts[0].events.buffer = 1 // as little as the kernel gives
	start(t, table)
	wait(t, table, "the first dump", complete)
	made := 0
	for range 100 {
		makeEntries(t, conn, made, made+1000)
		made += 1000
		if table.Status().Loss.Overruns > 0 {
			break
		}
	}
	deleteEntries(t, conn, 0, made/2)
	s := wait(t, table, "the table after losses", entries(made-made/2))
	if s.Loss.Overruns == 0 || s.Loss.Lost == 0 {
		t.Errorf("lost: %+v", s.Loss)
	}
	if s.Asked != time.Hour {
		t.Errorf("%+v", s)
	}
	// Entries that began and ended unseen are not counted, neither way.
	var births, deaths int
	if !testwait.For(10*time.Second, func() bool {
		births, deaths = total(table)
		return births-deaths == s.Entries
	}) {
		t.Errorf("%d births, %d deaths, %d entries", births, deaths, s.Entries)
	}
}

// TestKernelChurn: with dumps all the time, each birth and each death of short-lived
// entries is counted once, and what is kept at the end is what there is.
func TestKernelChurn(t *testing.T) {
	conn, source := kernelTable(t, defaults)
	table, _ := run(t, Options{Interval: minInterval, Share: 100}, source)
	wait(t, table, "the first dump", complete)
	n, left := testwait.Size(30_000, 10_000), 500
	if testing.Short() {
		n = 5_000
	}
	const step = 250
	for i := 0; i < n; i += step {
		makeEntries(t, conn, i, i+step)
		if i >= left {
			deleteEntries(t, conn, i-left, i-left+step)
		}
	}
	s := wait(t, table, "the end", entries(left))
	if s.Loss != (ctnetlink.Loss{}) {
		t.Skipf("SKIPPED, the machine is too busy: lost %+v", s.Loss)
	}
	waitTotal(t, table, n, n-left)
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := table.Find(0, f); !ok {
			t.Errorf("not kept: %v", f)
		}
	}
}

// TestKernelFilterMark: what TestRunFilterMark shows is so with the kernel's events.
func TestKernelFilterMark(t *testing.T) {
	conn, source := kernelTable(t, defaults)
	testFilterMark(t, conn, source)
}
