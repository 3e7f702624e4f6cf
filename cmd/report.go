package cmd

import (
	"os"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// What netlink does not tell about a table
// (Documentation/networking/nf_conntrack-sysctl.rst).
const (
	procMax       = "/proc/sys/net/netfilter/nf_conntrack_max"
	procBuckets   = "/proc/sys/net/netfilter/nf_conntrack_buckets"
	procExpectMax = "/proc/sys/net/netfilter/nf_conntrack_expect_max"
)

// writesReport tells whether -S is to tell about the table as a whole.
func (r *Request) writesReport() bool {
	return r.Command == cmdStats && (r.Output.Style == format.StyleTable || r.Output.Style == format.StyleProm)
}

// report prints what is known about the table as a whole, or about those of
// all namespaces together.
func (p *program) report(r *Request) error {
	report, err := p.gather()
	if err != nil {
		return r.refused(err)
	}
	if p.each != nil {
		p.each.reports = append(p.each.reports, report)
		return nil
	}
	return p.printReports(r, []*stats.Report{report})
}

// printReports prints reports for eyes, or as OpenMetrics text.
func (p *program) printReports(r *Request, reports []*stats.Report) error {
	o := r.Output
	o.Expect = r.Table == tableExpect
	if o.Style == format.StyleProm {
		p.out.buf = format.AppendProm(p.out.buf, reports, o)
	} else {
		p.out.buf = format.AppendReports(p.out.buf, reports, o)
	}
	return p.out.flush()
}

// gather asks for everything that a report tells. What netlink refuses to an
// ordinary user is in /proc.
func (p *program) gather() (*stats.Report, error) {
	report := &stats.Report{NetNS: p.netns()}
	if p.file == nil {
		report.Buckets = readProc(procBuckets)
		report.MaxExpectations = readProc(procExpectMax)
	}
	entries, maximum, err := p.table.Count()
	if errno, _ := ctnetlink.AsErrno(err); errno == ctnetlink.EPERM && p.atHome() {
		if text, rerr := os.ReadFile(procStats); rerr == nil {
			report.CPUs, report.ExpectCPUs = stats.ProcCPUs(string(text))
			report.Entries, report.Maximum = readProc(procCount), readProc(procMax)
			report.NoExpectations = true
			return report, nil
		}
	}
	if err != nil {
		return nil, err
	}
	report.Entries, report.Maximum = uint64(entries), uint64(maximum)
	for _, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			return nil, err
		}
		report.Expectations++
	}
	if err := p.table.Stats(collect(&report.CPUs, stats.Name)); err != nil {
		return nil, err
	}
	return report, p.table.StatsExpect(collect(&report.ExpectCPUs, stats.ExpectName))
}

// collect returns a function that keeps the counters of each CPU.
func collect(cpus *[]stats.CPU, name func(attr uint16) string) func(int, []ctnetlink.CPUStat) {
	return func(number int, counters []ctnetlink.CPUStat) {
		cpu := stats.CPU{Number: number}
		for _, c := range counters {
			if name := name(c.Attr); name != "" {
				cpu.Counters = append(cpu.Counters, stats.Counter{Name: name, Value: uint64(c.Value)})
			}
		}
		*cpus = append(*cpus, cpu)
	}
}

// readProc returns the number that a file of /proc holds, 0 if it does not.
func readProc(path string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n
}
