package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// report reports what is known about the table as a whole.
func report(e *Env, r *cmdline.Request) error {
	report, err := gather(e)
	if err != nil {
		return refused(r, err)
	}
	report.Changes = e.Look.changes(e.netns(), report.Values())
	return e.Report.report(e, r, report)
}

// printReports prints reports for people, or as OpenMetrics text.
func printReports(e *Env, r *cmdline.Request, reports []*stats.Report) error {
	o := r.Output
	o.Expect = r.Table == cmdline.TableExpect
	if o.Style == format.StyleProm {
		e.Out.Buf = format.AppendProm(e.Out.Buf, reports, o)
	} else {
		e.Out.Buf = format.AppendReports(e.Out.Buf, reports, o)
	}
	return e.Out.Flush()
}

// gather asks for everything that a report has. What netlink refuses to an
// ordinary user is in /proc.
func gather(e *Env) (*stats.Report, error) {
	report := &stats.Report{NetNS: e.netns()}
	if e.table().File == nil {
		// These are the same in every network namespace.
		report.Buckets = procNumber(procBuckets)
		report.MaxExpectations = procNumber(procExpectMax)
	}
	entries, maximum, err := e.conn().Count()
	if errors.Is(err, ctnetlink.EPERM) {
		if cpus, expect := procCPUs(e); cpus != nil {
			report.CPUs, report.ExpectCPUs = cpus, expect
			report.Entries, report.Maximum = readProcNumber(e, ProcCount), readProcNumber(e, procMax)
			report.NoExpectations = true
			return report, nil
		}
	}
	if err != nil {
		return nil, err
	}
	report.Entries, report.Maximum = uint64(entries), e.maximum(maximum)
	expectations, err := countExpectations(e, ctnetlink.FamilyAny)
	if err != nil {
		return nil, err
	}
	report.Expectations = uint64(expectations)
	if report.CPUs, err = flowCPUs(e); err != nil {
		return nil, err
	}
	report.ExpectCPUs, err = expectCPUs(e)
	return report, err
}
