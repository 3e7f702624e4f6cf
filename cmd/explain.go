package cmd

import (
	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// explain tells an entry in words: -G --explain. The words stand alone, so
// there is no count beside them.
func (p *program) explain(r *Request, f *ctnetlink.Flow) error {
	if !r.filter().Match(f) {
		return p.counted(0, "%d flow entries have been shown.", true)
	}
	p.out.buf = format.AppendExplanation(p.out.buf, f, &format.Explanation{LabelNames: r.Output.LabelNames})
	return p.out.flush()
}

// judgeExplain refuses other forms of output beside the words.
func (r *Request) judgeExplain() error {
	if r.has(optExplain) && r.Output.Style != format.StyleClassic {
		return usagef("--explain cannot be combined with another output form")
	}
	return nil
}

// newExplain is `get' with --explain.
func (p *program) newExplain() *cobra.Command {
	c := p.newCommand(&treeCommand{name: "explain", command: cmdGet, short: "Tell one entry in words",
		example: "conntrack explain -p tcp -s 10.0.0.2 -d 192.0.2.1 --sport 40296 --dport 8080"})
	c.Use = "explain"
	c.Args = cobra.NoArgs
	c.Long = "Tell one entry in words: who opened it, what is translated, its state and what\n" +
		"ends it, what its flags mean. The entry is the one that has the tuple, as for\n`get'."
	set := func(*cobra.Command, []string) error { return c.Flags().Set("explain", "true") }
	c.PreRunE = set
	for _, name := range []string{"explain", "output"} {
		if f := c.Flags().Lookup(name); f != nil {
			f.Hidden = true
		}
	}
	return c
}
