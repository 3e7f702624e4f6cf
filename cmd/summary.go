package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// defaultKeys are those of `summary' without any.
const defaultKeys = "proto,condition"

// summary counts the entries that match by the values of keys: -L --by, in one
// pass over the stream.
func (p *program) summary(r *Request) error {
	context := format.Context{Now: time.Now(), NetNS: p.netns()}
	p.shown = &context
	p.shown = &context
	var names []string
	var kinds []format.Kind
	for i := range r.shown().by {
		names = append(names, r.shown().by[i].name)
		kinds = append(kinds, r.shown().by[i].kind())
	}
	sum := stats.NewSummary(names)
	reader := r.newKeyReader(r.shown().by, &context)
	for f, err := range p.matching(r) {
		if err != nil {
			return r.refused(err)
		}
		packets, bytes, counted := counters(f)
		sum.Add(reader.read(f), packets, bytes, counted)
	}
	groups, err := sum.Sorted(r.shown().order, r.shown().limit)
	if err != nil {
		return err
	}
	w := format.NewSummary(r.Output, sum, kinds)
	if r.shown().limit == 0 {
		w.Measure(sum.All())
	}
	p.out.buf, err = w.Append(p.out.buf, groups, func(b []byte) ([]byte, error) {
		p.out.buf = b
		err := p.out.spill()
		return p.out.buf, err
	})
	if err != nil {
		return err
	}
	if err := p.out.flush(); err != nil {
		return err
	}
	p.say("%d flow entries in %d groups.", sum.Total().Entries, sum.Len())
	return nil
}

// counters returns packets and bytes of both directions together. ok is false
// where the entry has none: accounting was off when it began.
func counters(f *ctnetlink.Flow) (packets, bytes uint64, ok bool) {
	p, b, ok := f.CountersOrig()
	q, c, replied := f.CountersReply()
	return p + q, b + c, ok || replied
}

// newSummary is `list' with --by, whose keys are the argument.
func (p *program) newSummary() *cobra.Command {
	c := p.newCommand(&treeCommand{name: "summary", command: cmdList, short: "Count entries, packets and bytes by keys",
		example: "conntrack summary\nconntrack summary src --limit 10\nconntrack summary src/24,dport -p tcp --sort -bytes\n" +
			"conntrack summary nat -o json"})
	c.Use = "summary [keys]"
	c.Long = summaryHelp
	c.ValidArgsFunction = completeKeys
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		by := c.Flags().Lookup("by")
		switch {
		case len(args) > 0:
			if err := by.Value.Set(args[0]); err != nil {
				return err
			}
		case !by.Changed:
			if err := by.Value.Set(defaultKeys); err != nil {
				return err
			}
		}
		return run(c, nil)
	}
	for _, name := range []string{"by", "columns"} {
		c.Flags().Lookup(name).Hidden = true
	}
	return c
}
