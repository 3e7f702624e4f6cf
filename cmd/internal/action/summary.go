package action

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// promGroups is how many groups -o prom shows without --limit: each is a time
// series of its own, and there must not be any number of them.
const promGroups = 100

// summary counts the entries that match by the values of keys: -L --by, in one
// pass over the stream.
func summary(e *Env, r *cmdline.Request) error {
	context := format.Context{Now: time.Now()}
	end, err := findProcesses(e, r, &context)
	if err != nil {
		return err
	}
	defer end()
	var names []string
	var kinds []format.Kind
	for i := range r.View().By {
		names = append(names, r.View().By[i].Name)
		kinds = append(kinds, r.View().By[i].Kind())
	}
	sum := stats.NewSummary(names)
	keys := cmdline.NewKeyValues(r.View().By, r.Output.LabelNames, &context)
	for f, err := range matching(e, r, &context) {
		if err != nil {
			return refused(r, err)
		}
		packets, bytes, counted := counters(f)
		sum.Add(keys.Read(f), packets, bytes, counted)
	}
	limit := r.View().Limit
	if limit == 0 && r.Output.Style == format.StyleProm {
		limit = promGroups
	}
	groups, err := sum.Sorted(r.View().Order, limit)
	if err != nil {
		return err
	}
	w := format.NewSummary(r.Output, sum, kinds)
	if e.Look != nil {
		w.SetLook(e.Look.at, !e.Look.grouped)
		e.Look.grouped = true
	}
	if limit == 0 {
		w.Measure(sum.All())
	}
	e.Out.Buf, err = w.Append(e.Out.Buf, groups, func(b []byte) ([]byte, error) {
		e.Out.Buf = b
		err := e.Out.Spill()
		return e.Out.Buf, err
	})
	if err != nil {
		return err
	}
	if err := e.Out.Flush(); err != nil {
		return err
	}
	e.say("%d flow entries in %d groups.", sum.Total().Entries, sum.Len())
	return nil
}

// counters returns packets and bytes of both directions together. ok is false
// where the entry has none: accounting was off when it began.
func counters(f *ctnetlink.Flow) (packets, bytes uint64, ok bool) {
	p, b, ok := f.CountersOrig()
	q, c, replied := f.CountersReply()
	return p + q, b + c, ok || replied
}
