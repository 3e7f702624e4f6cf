package cmd

import (
	"os"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/stats"
)

// Where the kernel tells what netlink refuses to an ordinary user
// (Documentation/networking/nf_conntrack-sysctl.rst).
const (
	procCount = "/proc/sys/net/netfilter/nf_conntrack_count"
	procStats = "/proc/net/stat/nf_conntrack"
)

// count prints the number of entries, or of expectations.
func (p *program) count(r *Request) error {
	if r.Table == tableExpect {
		n := 0
		for _, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
			if err != nil {
				return r.refused(err)
			}
			n++
		}
		return p.print(strconv.Itoa(n) + "\n")
	}
	n, _, err := p.table.Count()
	if err != nil {
		if b, rerr := os.ReadFile(procCount); rerr == nil {
			if err := p.print(strings.TrimSpace(string(b)) + "\n"); err != nil {
				return err
			}
		}
		return r.refused(err)
	}
	return p.print(strconv.FormatUint(uint64(n), 10) + "\n")
}

// stats prints a line of counters for each CPU.
func (p *program) stats(r *Request) error {
	line := func(cpu int, counters []stats.Counter) {
		p.out.buf = stats.AppendLine(p.out.buf, cpu, counters)
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
		return p.out.flush()
	}
	if err := p.table.Stats(each(stats.Name)); err != nil {
		if text, rerr := os.ReadFile(procStats); rerr == nil {
			for cpu, counters := range stats.ParseProc(string(text)) {
				line(cpu, counters)
			}
		}
		if ferr := p.out.flush(); ferr != nil {
			return ferr
		}
		return r.refused(err)
	}
	return p.out.flush()
}
