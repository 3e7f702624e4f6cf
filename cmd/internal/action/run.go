package action

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// action is what a command does on the tables of an environment.
type action func(e *Env, r *cmdline.Request) error

// Run opens the tables that a request is about, and runs the request on them.
func Run(s *console.Streams, r *cmdline.Request) error {
	if err := readFilters(s, r); err != nil {
		return err
	}
	if r.Has(cmdline.OptWatch) {
		return watch(s, r)
	}
	do := action(perform)
	if r.Command == cmdline.CmdLoad {
		// The file is validated before the table is opened.
		l, err := openLoad(s, r)
		if err != nil {
			return err
		}
		do = l.run
	}
	if r.Output.Style == format.StyleNetlink && console.IsTerminal(s.Out) {
		return cmdline.Usagef("-o netlink writes binary data: redirect it to a file or a pipe")
	}
	set, err := target.Open(choice(r), s)
	if err != nil {
		return err
	}
	return set.Close(runOn(set, s, r, do, nil))
}

// runOn runs a request on tables that are open, in a look at them if that is not
// nil.
func runOn(set *target.Set, s *console.Streams, r *cmdline.Request, do action, l *look) error {
	r.Output.NetNS = set.Several
	passedOver := 0
	err := do(&Env{
		Streams: s, Tables: set.Tables, Several: set.Several, Report: &printing{}, PassedOver: &passedOver, Look: l,
	}, r)
	switch {
	case !set.Several:
		err = inNamespace(set.Tables[0], err)
	case err == nil && passedOver > 0:
		err = console.ErrQuiet
	}
	if ferr := s.Out.Flush(); err == nil {
		err = ferr
	}
	return err
}

// choice returns the tables that a request is about.
func choice(r *cmdline.Request) target.Choice {
	return target.Choice{
		File: r.TableFile, HasFile: r.Has(cmdline.OptTable),
		NetNS: r.NetNS, HasNetNS: r.Has(cmdline.OptNetNS),
		AllNetNS: r.Has(cmdline.OptAllNetNS), Now: r.Has(cmdline.OptNow),
	}
}

// perform runs a request on the tables of an environment.
func perform(e *Env, r *cmdline.Request) error {
	if r.Command == cmdline.CmdEvents {
		return events(e, r)
	}
	if err := r.ValidateFilter(); err != nil {
		return refused(r, err)
	}
	chooseStyle(e, r)
	if r.Compare != 0 {
		var err error
		if e, err = compare(e, r); err != nil {
			return err
		}
	}
	do := find(r)
	if e.Several && (r.Command != cmdline.CmdList || r.Table == cmdline.TableExpect || r.Has(cmdline.OptCountOnly)) {
		return runInEach(e, r, do)
	}
	return do(e, r)
}

// find returns the action of a request.
func find(r *cmdline.Request) action {
	expect := r.Table == cmdline.TableExpect
	either := func(flows, expectations action) action {
		if expect {
			return expectations
		}
		return flows
	}
	switch r.Command {
	case cmdline.CmdList:
		switch {
		case r.SaveTo != "":
			return save
		case r.View().By != nil:
			return summary
		case r.Has(cmdline.OptExplain):
			return explainMatching
		case r.Has(cmdline.OptCountOnly):
			return either(countMatching, countExpect)
		}
		return either(list, listExpect)
	case cmdline.CmdGet:
		if r.Has(cmdline.OptExplain) {
			return explain
		}
		return either(get, getExpect)
	case cmdline.CmdCreate:
		return either(create, createExpect)
	case cmdline.CmdAdd:
		return add
	case cmdline.CmdUpdate:
		return update
	case cmdline.CmdDelete:
		return either(deleteFlows, deleteExpect)
	case cmdline.CmdFlush:
		return either(flush, flushExpect)
	case cmdline.CmdCount:
		return either(count, countExpect)
	}
	if r.WritesReport() {
		return report
	}
	return printStats
}

// chooseStyle chooses the form of output for a terminal: there `list' and the
// sums of --by are tables, unless -o was given. Tables fit the terminal's width.
// Labels are shown by name where they have names.
func chooseStyle(e *Env, r *cmdline.Request) {
	out := &r.Output
	entries := r.Command == cmdline.CmdGet || r.ShowsEntries()
	table := r.ByName && (entries && !r.Has(cmdline.OptExplain) || r.Command == cmdline.CmdStats) || r.View().By != nil
	if table && !r.Has(cmdline.OptOutput) && out.Style == format.StyleClassic && console.IsTerminal(e.Out) {
		out.Style = format.StyleTable
	}
	if out.Style == format.StyleTable {
		out.Width, out.Color = console.LineWidth(e.Out), console.UseColor(e.Out)
		chooseNames(r)
	}
	if out.Style == format.StyleTable || r.View().By != nil || r.View().Order != nil {
		if m, err := r.LabelMap(); err == nil {
			out.LabelNames = m.Names
		}
	}
}

// NetNSNames returns the names of the network namespaces that can be meant.
func NetNSNames() []string { return target.NetNSNames() }

// Env is what an action works with.
type Env struct {
	*console.Streams
	// Tables are the tables that the action is about. There is more than one only
	// for actions on the tables of all network namespaces together.
	Tables []*target.Table
	// Several: what is shown names its network namespace.
	Several bool
	// PassedOver counts the tables that refused, where Several is set.
	PassedOver *int
	// Look is the look at the tables that the action takes, nil if it is the only one.
	Look *look
	// Activity restricts the entries to those that packets have arrived for, or have
	// not, since an earlier look; nil: it does not matter.
	Activity *activity
	// History appends what packets did to an entry that is explained; nil: that is
	// not known.
	History func(b []byte, f *ctnetlink.Flow) []byte
	// Report takes what the action reports.
	Report reporter
	// Unrestored counts what the table does not keep of entries that a file
	// restores. nil: an entry is made whole or not at all.
	Unrestored *unrestored
	// Zones is for the lines of a file. nil: entries are looked up only where their
	// zone was given.
	Zones *zoneIndex
	// LookedUp, if not nil, is set when the entries that follow have just been read
	// one by one.
	LookedUp *bool
	// Batch is for the requests of the lines of a file. nil: each command has one of
	// its own.
	Batch *ctnetlink.Batch
}

// table returns the table of an action on one table.
func (e *Env) table() *target.Table { return e.Tables[0] }

// now returns the time that the table's clock shows.
func (e *Env) now() time.Time { return e.Tables[0].Now() }

// filter returns a request's filter, by the table's clock.
func (e *Env) filter(r *cmdline.Request) *filter.Filter {
	m := r.Filter()
	m.Now = e.now
	return m
}

// conn returns the connection to that table.
func (e *Env) conn() *ctnetlink.Conn { return e.Tables[0].Conn }

// newBatch returns a batch for the requests of a command, and what to do with it at
// the end.
func (e *Env) newBatch() (b *ctnetlink.Batch, done func()) {
	if e.Batch != nil {
		return e.Batch, func() {}
	}
	b = e.conn().NewBatch()
	return b, func() { _ = b.Close() }
}

// at returns the environment of an action on one of the tables.
func (e *Env) at(t *target.Table) *Env {
	one := *e
	one.Tables = []*target.Table{t}
	return &one
}

// netns returns the network namespace that is named with what is shown of the
// table, "" where only one was meant.
func (e *Env) netns() string {
	if !e.Several {
		return ""
	}
	return e.table().Name
}

// ofNetNS names the network namespace in a message, where several are meant.
func (e *Env) ofNetNS() string {
	if name := e.netns(); name != "" {
		return " of network namespace `" + printable.String(name) + "'"
	}
	return ""
}

// netnsField returns the end of a line that names its namespace, like an
// entry's.
func (e *Env) netnsField() string {
	if name := e.netns(); name != "" {
		return " netns=" + printable.String(name)
	}
	return ""
}

// say prints a message on standard error, after the output so far.
func (e *Env) say(form string, args ...any) {
	_ = e.Out.Flush() // the Output keeps the failure, and the run ends with it
	e.Err.Printf(cmdline.CompatVersion+": "+form+"\n", args...)
}
