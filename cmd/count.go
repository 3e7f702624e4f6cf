package cmd

import (
	"os"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// Where the kernel tells what netlink refuses to an ordinary user
// (Documentation/networking/nf_conntrack-sysctl.rst).
const (
	procCount = "/proc/sys/net/netfilter/nf_conntrack_count"
	procStats = "/proc/net/stat/nf_conntrack"
)

// writesRecords tells whether -C or -S is to write in a form that is this
// program's own. The classic forms go with neither.
func (r *Request) writesRecords() bool {
	return oneOf(r.Command, cmdCount, cmdStats) && format.IsRecordStyle(r.Output.Style)
}

// count prints the number of entries, or of expectations.
func (p *program) count(r *Request) error {
	if r.Table == tableExpect {
		n := uint64(0)
		for _, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
			if err != nil {
				return r.refused(err)
			}
			n++
		}
		return p.printCount(r, format.Number("expectations", n))
	}
	n, maximum, err := p.table.Count()
	switch {
	case err != nil:
		if b, rerr := os.ReadFile(procCount); rerr == nil && p.atHome() {
			if err := p.printProcCount(r, strings.TrimSpace(string(b))); err != nil {
				return err
			}
		}
		return r.refused(err)
	case maximum == 0: // it is not told
		return p.printCount(r, format.Number("entries", uint64(n)))
	}
	return p.printCount(r, format.Number("entries", uint64(n)), format.Number("maximum", uint64(maximum)))
}

// printCount prints the first of the values alone, or all as a record.
func (p *program) printCount(r *Request, values ...format.Value) error {
	if !r.writesRecords() {
		return p.print(strconv.FormatUint(values[0].Number, 10) + p.netnsField() + "\n")
	}
	w := p.newRecords(r, false)
	p.out.buf = w.Append(p.out.buf, p.withNetNS(values))
	p.endRecords(w)
	return p.out.flush()
}

// printProcCount prints the number of entries as /proc tells it.
func (p *program) printProcCount(r *Request, text string) error {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && r.writesRecords() {
		return p.printCount(r, format.Number("entries", n))
	}
	return p.print(text + p.netnsField() + "\n")
}

// stats prints the counters of each CPU: a line, or a record.
func (p *program) stats(r *Request) error {
	records := p.newRecords(r, true)
	var values []format.Value
	line := func(cpu int, counters []stats.Counter) {
		if !r.writesRecords() {
			p.out.buf = stats.AppendLine(p.out.buf, cpu, counters)
			if name := p.netnsField(); name != "" {
				p.out.buf = append(append(p.out.buf[:len(p.out.buf)-1], name[1:]...), '\n')
			}
			return
		}
		values = append(values[:0], format.Number("cpu", uint64(cpu)))
		for _, c := range counters {
			values = append(values, format.Number(c.Name, c.Value))
		}
		values = p.withNetNS(values)
		p.out.buf = records.Append(p.out.buf, values)
	}
	end := func() error {
		if r.writesRecords() {
			p.endRecords(records)
		}
		return p.out.flush()
	}
	var list []stats.Counter
	each := func(names func(uint16) string) func(int, []ctnetlink.CPUStat) {
		return func(cpu int, counters []ctnetlink.CPUStat) {
			list = list[:0]
			for _, c := range counters {
				if name := names(c.Attr); name != "" {
					list = append(list, stats.Counter{Name: name, Value: uint64(c.Value)})
				}
			}
			line(cpu, list)
		}
	}
	if r.Table == tableExpect {
		if err := p.table.StatsExpect(each(stats.ExpectName)); err != nil {
			return r.refused(err)
		}
		return end()
	}
	if err := p.table.Stats(each(stats.Name)); err != nil {
		if text, rerr := os.ReadFile(procStats); rerr == nil && p.atHome() {
			for cpu, counters := range stats.ParseProc(string(text)) {
				line(cpu, counters)
			}
			if ferr := end(); ferr != nil {
				return ferr
			}
		}
		return r.refused(err)
	}
	return end()
}
