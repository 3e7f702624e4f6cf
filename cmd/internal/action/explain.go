package action

import (
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// explain describes the entry that has the tuple in words: -G --explain. No
// count is printed beside them.
func explain(e *Env, r *cmdline.Request) error {
	f, matches, err := getNamed(e, r)
	if err != nil {
		return refused(r, err)
	}
	if !matches {
		return e.Report.count(e, 0, "%d flow entries have been shown.", true)
	}
	appendExplanation(e, r, f, e.netns())
	return e.Out.Flush()
}

// explainMatching describes the entries that match, up to the limit, with an empty
// line between them. A count is printed if there are none, or more.
func explainMatching(e *Env, r *cmdline.Request) error {
	var context format.Context
	matched, n := 0, 0
	entries := counted(matching(e, r, &context), &matched)
	for f, err := range ordered(r, entries, &context) {
		if err != nil {
			return refused(r, err)
		}
		if n++; n > 1 {
			e.Out.Buf = append(e.Out.Buf, '\n')
		}
		appendExplanation(e, r, f, context.NetNS)
		if err := e.Out.Spill(); err != nil {
			return err
		}
	}
	if n == 0 {
		return e.Report.count(e, 0, "%d flow entries have been shown.", true)
	}
	if matched > n {
		e.say("%d of %d flow entries have been explained: --limit changes how many.", n, matched)
	}
	return e.Out.Flush()
}

func appendExplanation(e *Env, r *cmdline.Request, f *ctnetlink.Flow, netns string) {
	x := &format.Explanation{
		Now: e.now(), LabelNames: r.Output.LabelNames, NetNS: netns, Width: console.LineWidth(e.Out),
	}
	if e.table().InKernel() {
		x.Sysctl = e.table().Sysctl
	}
	e.Out.Buf = format.AppendExplanation(e.Out.Buf, f, x)
	if e.History != nil {
		e.Out.Buf = e.History(e.Out.Buf, f)
	}
}
