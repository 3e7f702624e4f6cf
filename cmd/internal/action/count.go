package action

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// count prints the number of entries.
func count(e *Env, r *cmdline.Request) error {
	n, maximum, err := e.conn().Count()
	if err != nil {
		if text, ok := readProc(e, ProcCount); ok {
			if err := printProcCount(e, r, text); err != nil {
				return err
			}
		}
		return refused(r, err)
	}
	values := []format.Value{format.Number("entries", uint64(n))}
	if maximum := e.maximum(maximum); maximum != 0 {
		values = append(values, format.Number("maximum", maximum))
	}
	return printCount(e, r, values...)
}

// maximum returns how many entries the table may have, 0 where there is no limit or
// the kernel, an old one, does not report it. The file of a table takes any number.
func (e *Env) maximum(reported uint32) uint64 {
	if e.table().File != nil {
		return 0
	}
	return uint64(reported)
}

// countMatching prints the number of entries that match. The table knows how many
// it has in all.
func countMatching(e *Env, r *cmdline.Request) error {
	if !r.Selects() && r.Table == cmdline.TableConntrack {
		return count(e, r)
	}
	n := 0
	task := console.Task{Verb: "counting", Unit: "entries"}
	for _, err := range console.Track2(e.Streams, task, matching(e, r, &format.Context{})) {
		if err != nil {
			return refused(r, err)
		}
		n++
	}
	return printCount(e, r, format.Number("entries", uint64(n)))
}

// countExpect prints the number of expectations of a family, or of both.
func countExpect(e *Env, r *cmdline.Request) error {
	n, err := countExpectations(e, r.Family)
	if err != nil {
		return refused(r, err)
	}
	return printCount(e, r, format.Number("expectations", uint64(n)))
}

// printCount prints the first of the values alone, or all as a record.
func printCount(e *Env, r *cmdline.Request, values ...format.Value) error {
	if !r.WritesRecords() {
		text := strconv.FormatUint(values[0].Number, 10)
		for _, c := range e.Look.changes(e.netns(), []stats.Counter{{Name: "entries", Value: values[0].Number}}) {
			text += fmt.Sprintf(" (%+d)", c.Delta)
		}
		return e.Out.Print(text + e.netnsField() + "\n")
	}
	e.Report.record(e, r, false, values)
	return e.Report.endRecords(e, r, false)
}

// printProcCount prints the number of entries that /proc shows.
func printProcCount(e *Env, r *cmdline.Request, text string) error {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && r.WritesRecords() {
		return printCount(e, r, format.Number("entries", n))
	}
	return e.Out.Print(text + e.netnsField() + "\n")
}

// Where the kernel shows what netlink refuses to an ordinary user, or lacks
// (Documentation/networking/nf_conntrack-sysctl.rst).
const (
	ProcCount     = "/proc/sys/net/netfilter/nf_conntrack_count"
	procMax       = "/proc/sys/net/netfilter/nf_conntrack_max"
	procBuckets   = "/proc/sys/net/netfilter/nf_conntrack_buckets"
	procExpectMax = "/proc/sys/net/netfilter/nf_conntrack_expect_max"
	ProcStats     = "/proc/net/stat/nf_conntrack"
)

// readProc returns the text of a file of /proc without the blanks around it. ok
// is false where it cannot be read, or does not describe the table.
func readProc(e *Env, path string) (text string, ok bool) {
	if !e.table().InCurrentNetNS() {
		return "", false
	}
	b, err := console.ReadFile(path)
	return strings.TrimSpace(string(b)), err == nil
}

// readProcNumber returns the number that a file of /proc holds, 0 if there is
// none.
func readProcNumber(e *Env, path string) uint64 {
	if !e.table().InCurrentNetNS() {
		return 0
	}
	return procNumber(path)
}

func procNumber(path string) uint64 {
	text, _ := console.ReadFile(path)
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n
}
