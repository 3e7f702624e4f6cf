package action

import (
	"fmt"
	"iter"
	"slices"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// printStats prints the counters of each CPU: a line, or a record.
func printStats(e *Env, r *cmdline.Request) error {
	var cpus []stats.CPU
	var failed error
	if r.Table == cmdline.TableExpect {
		cpus, failed = expectCPUs(e)
	} else if cpus, failed = flowCPUs(e); failed != nil {
		cpus = procLines(e)
	}
	if failed != nil && cpus == nil {
		return refused(r, failed)
	}
	for _, cpu := range cpus {
		printCPU(e, r, cpu)
	}
	if !r.WritesRecords() {
		printChanges(e, e.Look.changes(e.netns(), stats.Totals(cpus)))
	}
	var err error
	if r.WritesRecords() {
		err = e.Report.endRecords(e, r, true)
	} else {
		err = e.Out.Flush()
	}
	if err != nil {
		return err
	}
	return refused(r, failed)
}

// printChanges prints a line with the counters that have changed since the look
// before, all CPUs together. nil is no such look.
func printChanges(e *Env, changes []stats.Change) {
	if changes == nil {
		return
	}
	b := append(e.Out.Buf, "change  \t"...)
	n := len(b)
	for _, c := range changes {
		if c.Delta != 0 {
			b = fmt.Appendf(b, "%s=%+d ", c.Name, c.Delta)
		}
	}
	if len(b) == n {
		b = append(b, "none "...)
	}
	b = append(b[:len(b)-1], e.netnsField()...)
	e.Out.Buf = append(b, '\n')
}

func printCPU(e *Env, r *cmdline.Request, cpu stats.CPU) {
	if !r.WritesRecords() {
		e.Out.Buf = stats.AppendLine(e.Out.Buf, cpu.Number, cpu.Counters)
		if name := e.netnsField(); name != "" {
			e.Out.Buf = append(append(e.Out.Buf[:len(e.Out.Buf)-1], name[1:]...), '\n')
		}
		return
	}
	values := []format.Value{format.Number("cpu", uint64(cpu.Number))}
	for _, c := range cpu.Counters {
		values = append(values, format.Number(c.Name, c.Value))
	}
	e.Report.record(e, r, true, values)
}

// flowCPUs asks for the counters of each CPU.
func flowCPUs(e *Env) (cpus []stats.CPU, err error) {
	return collectCPUs(e.conn().Stats())
}

// expectCPUs asks for the counters of expectations of each CPU.
func expectCPUs(e *Env) (cpus []stats.CPU, err error) {
	return collectCPUs(e.conn().StatsExpect())
}

// collectCPUs converts the counters of all CPUs.
func collectCPUs(all iter.Seq2[*ctnetlink.CPUStats, error]) (cpus []stats.CPU, err error) {
	for s, err := range all {
		if err != nil {
			return cpus, err
		}
		cpu := stats.CPU{Number: s.CPU}
		for _, c := range s.Counters {
			cpu.Counters = append(cpu.Counters, stats.Counter{Name: c.Name, Value: uint64(c.Value)})
		}
		cpus = append(cpus, cpu)
	}
	return cpus, nil
}

// procLines returns the counters that /proc shows, nil where it does not, under
// the names of their columns.
func procLines(e *Env) (cpus []stats.CPU) {
	text, ok := readProc(e, ProcStats)
	if !ok {
		return nil
	}
	for cpu, counters := range stats.ParseProc(text) {
		cpus = append(cpus, stats.CPU{Number: cpu, Counters: slices.Clone(counters)})
	}
	return cpus
}

// procCPUs returns the counters that /proc shows, nil where it does not, under
// the names that netlink gives them.
func procCPUs(e *Env) (cpus, expect []stats.CPU) {
	text, ok := readProc(e, ProcStats)
	if !ok {
		return nil, nil
	}
	return stats.ProcCPUs(text)
}
