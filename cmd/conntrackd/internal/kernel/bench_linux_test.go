package kernel

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// quiet is a sink that counts.
type quiet struct {
	sink
	events int
}

func (q *quiet) Event(wire.Type, wire.Object, bool) { q.events++ }
func (q *quiet) Find(*wire.Key) wire.Object         { return nil }

// benchSize is how many entries are committed in one operation.
const benchSize = 10_000

// BenchmarkCommit commits entries that are new, and entries that exist. It reports the
// processor's time for each entry, events included.
func BenchmarkCommit(b *testing.B) {
	namespace(b, "")
	q := &quiet{}
	q.cache = map[wire.Key]wire.Object{}
	table, err := openAll(settings(), q, ctnetlink.OpenIn(here(b)))
	if err != nil {
		b.Fatal(err)
	}
	defer table.Close()
	go func() { _ = table.Run(b.Context()) }()
	entries := make([]*ctnetlink.FlowSpec, benchSize)
	for i := range entries {
		entries[i] = connection(i)
	}
	fill(b, entries...)
	var all []Entry
	err = table.List(b.Context(), func(o wire.Object) error {
		all = append(all, Entry{Object: append(wire.Object(nil), o...)})
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	var spent, took, thread [2]time.Duration
	n := 0
	for b.Loop() {
		empty(b)
		for i := range spent {
			before, ours, began := used(unix.RUSAGE_SELF), used(unix.RUSAGE_THREAD), time.Now()
			if done, err := table.Commit(context.Background(), inParts(all, 4096)); err != nil || done.New != len(all) {
				b.Fatal(done, err)
			}
			took[i] += time.Since(began)
			thread[i] += used(unix.RUSAGE_THREAD) - ours
			q.until(b, "the events", table.idle)
			spent[i] += used(unix.RUSAGE_SELF) - before
		}
		n += len(all)
	}
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(n), "ns/new")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(n), "ns/existing")
	b.ReportMetric(float64(thread[0].Nanoseconds())/float64(n), "thread-ns/new")
	b.ReportMetric(float64(thread[1].Nanoseconds())/float64(n), "thread-ns/existing")
	b.ReportMetric(float64(spent[0].Nanoseconds())/float64(n), "cpu-ns/new")
	b.ReportMetric(float64(spent[1].Nanoseconds())/float64(n), "cpu-ns/existing")
}

// idle reports whether no event waits.
func (t *Table) idle() bool { return t.listener.Queued() == 0 && !t.listener.Ready() }

// used returns the processor's time that this process or thread has used.
func used(who int) time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
