package action

import (
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// For programs beside conntrack.

// Check refuses a request that cannot be carried out, before its table is there,
// and reads its files of filters.
func Check(s *console.Streams, r *cmdline.Request) error {
	if err := readFilters(s, r); err != nil {
		return err
	}
	if err := r.ValidateFilter(); err != nil {
		return refused(r, err)
	}
	if r.Output.Style == format.StyleNetlink && console.IsTerminal(s.Out) {
		return cmdline.Usagef("-o netlink writes binary data: redirect it to a file or a pipe")
	}
	return nil
}

// Dress completes the output of a request that shows entries: names of hosts and
// ports, as far as they are wanted, and names of labels.
func Dress(r *cmdline.Request) {
	chooseNames(r)
	if m, err := r.LabelMap(); err == nil {
		r.Output.LabelNames = m.Names
	}
}

// HostNames returns names of addresses for a program that shows tables for a long time:
// it forgets names when it knows many.
func HostNames() format.HostNames {
	h := newHostNames()
	h.forgets = true
	return h
}

// ServiceNames returns the function for [format.Options.ServiceName]. It reads
// /etc/services.
func ServiceNames() func(ctnetlink.Protocol, uint16) string { return serviceNames() }

// FindProcesses lets the context find the local processes of the entries of a set, as
// they are now, if the request wants them. The caller calls end when it has shown the
// entries.
func FindProcesses(set *target.Set, r *cmdline.Request, c *format.Context) (end func(), err error) {
	return findProcesses(&Env{Tables: set.Tables, Several: set.Several}, r, c)
}

// RunTable runs a request that was checked on a table that is open. history, which
// may be nil, is that of Env.
func RunTable(s *console.Streams, r *cmdline.Request, t *target.Table,
	history func(b []byte, f *ctnetlink.Flow) []byte) error {
	do := func(e *Env, r *cmdline.Request) error {
		e.History = history
		return perform(e, r)
	}
	return runOn(&target.Set{Tables: []*target.Table{t}}, s, r, do, nil)
}

// WriteTable writes the entries of a table that a request selects to a table file,
// whole or not at all, and returns how many they are.
func WriteTable(path string, r *cmdline.Request, t *target.Table) (n int, err error) {
	failed := func(err error) error { return cmdline.Failuref("cannot write %s: %s", path, console.ErrorText(err)) }
	if err := console.MayOpen(path); err != nil {
		return 0, err
	}
	file, err := atomicfile.Create(path, atomicfile.Options{ExitOnSignal: true})
	if err != nil {
		return 0, failed(err)
	}
	defer file.Discard()
	streams := console.Discard()
	streams.Out = console.NewOutput(file)
	list := *r
	list.Command, list.Output = cmdline.CmdList, format.Options{Style: format.StyleNetlink}
	e := &Env{Streams: streams, Tables: []*target.Table{t}, PassedOver: new(int)}
	w := makeFlowPrinter(e, &list)
	e.Report = &saving{lines: w}
	if err := perform(e, &list); err != nil {
		return 0, err
	}
	if err := streams.Out.Flush(); err != nil {
		return 0, failed(err)
	}
	if err := file.Commit(); err != nil {
		return 0, failed(err)
	}
	return w.n, nil
}

// saving has one printer, which counts.
type saving struct {
	quiet
	lines *flowPrinter
}

func (s *saving) printer(*Env, *cmdline.Request) *flowPrinter { return s.lines }
