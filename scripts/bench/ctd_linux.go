package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/e2e/pair"
)

// ctd is a run of "bench conntrackd": pairs of daemons, ours and the reference.
type ctd struct {
	sizes    []int
	runs     int
	modes    []string // MODE/CHANNEL of the rows that resync
	rate     int      // of the row churn, new flows a second
	seconds  int
	patience time.Duration // see alone
	programs []program
	lines    []ctdLine
	failures int
}

// program is a daemon that is measured, at both nodes unless the first has another.
type program struct{ name, path, first string }

// ctdRow is a piece of work that is measured.
type ctdRow struct {
	name string
	run  func(c *ctd)
}

var ctdRows = []ctdRow{
	{"start", (*ctd).startRow},
	{"resync", (*ctd).resyncRow},
	{"alarm", (*ctd).alarmRow},
	{"commit", (*ctd).commitRow},
	{"loss", (*ctd).lossRow},
	{"churn", (*ctd).churnRow},
}

// allModes are what a bulk is measured in.
var allModes = []string{
	"FTFW/mcast", "FTFW/udp", "FTFW/tcp", "NOTRACK/mcast", "NOTRACK/udp", "NOTRACK/tcp",
	"FTFW-inject/udp", "NOTRACK-direct/udp",
}

// ctdRole measures pairs of conntrackd, in namespaces of their own.
func ctdRole(args []string) error {
	c := new(ctd)
	f := newRoleFlags("conntrackd")
	sizes := f.String("entries", "100000", "entries that are synchronised, several separated by commas")
	f.IntVar(&c.runs, "runs", 3, "runs of which the median is shown")
	names := make([]string, len(ctdRows))
	for i, r := range ctdRows {
		names[i] = r.name
	}
	only := f.String("rows", strings.Join(names, ","), "rows to run")
	modes := f.String("modes", strings.Join(allModes, ","), "modes and channels of the rows resync and churn")
	f.IntVar(&c.rate, "rate", 50_000, "new flows a second in the row churn")
	f.IntVar(&c.seconds, "seconds", 60, "seconds of churn")
	f.DurationVar(&c.patience, "patience", 20*time.Second,
		"how long the row commit waits until nothing else on the machine listens to events")
	ours := f.String("program", "", "our daemon, built already (default: it is built)")
	reference := f.String("reference", pair.Old, "the reference, \"\" for none")
	mixed := f.Bool("mixed", false, "also the pairs of ours and the reference")
	document := f.String("markdown", "", "file that takes the tables, between "+ctdBegin+" and "+ctdEnd)
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("root only: it raises net.netfilter.nf_conntrack_max and makes network namespaces")
	}
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1000 || n > 4_000_000 {
			return fmt.Errorf("--entries: %q is no number between 1000 and 4 000 000", s)
		}
		c.sizes = append(c.sizes, n)
	}
	if c.runs < 1 || c.rate < 1 || c.seconds < 1 {
		return errors.New("--runs, --rate and --seconds must be at least 1")
	}
	c.modes = strings.Split(*modes, ",")
	chosen, err := chooseCtdRows(*only)
	if err != nil {
		return err
	}
	return c.all(chosen, *ours, *reference, *document, *mixed)
}

func chooseCtdRows(list string) ([]ctdRow, error) {
	var chosen []ctdRow
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(ctdRows, func(r ctdRow) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no row %q", name)
		}
		chosen = append(chosen, ctdRows[i])
	}
	return chosen, nil
}

// all prepares the machine, runs the rows and leaves it as it was.
func (c *ctd) all(chosen []ctdRow, ours, reference, document string, mixed bool) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if ours == "" {
		ours = filepath.Join(dir, "conntrackd")
		if err := build("", ours, modulePath+"/cmd/conntrackd"); err != nil {
			return err
		}
	}
	c.programs = []program{{"ours", ours, ""}}
	if _, err := os.Stat(reference); err == nil {
		c.programs = append(c.programs, program{"reference", reference, ""})
		if mixed {
			c.programs = append(c.programs,
				program{"reference to ours", ours, reference}, program{"ours to reference", reference, ours})
		}
	}
	biggest := slices.Max(c.sizes)
	l, err := raiseLimits(max(biggest, 6*c.rate)+600_000, biggest)
	if err != nil {
		return err
	}
	defer l.restore()
	for _, r := range chosen {
		r.run(c)
	}
	report := c.report()
	fmt.Print(report)
	if document != "" {
		if err := writeBetween(document, ctdBegin, ctdEnd, report); err != nil {
			return err
		}
	}
	if c.failures > 0 {
		return fmt.Errorf("%d measurements failed", c.failures)
	}
	return nil
}

// within makes a pair and calls f with it. What goes wrong is reported, and ends f.
func (c *ctd) within(what string, f func(l *pair.Lab)) (ok bool) {
	t := new(labReporter)
	defer t.end()
	defer func() {
		if r := recover(); r != nil {
			failure, mine := r.(labFailure)
			if !mine {
				panic(r)
			}
			c.failures++
			ok = false
			fmt.Fprintf(os.Stderr, "bench: FAILED: %s: %s\n", what, failure)
		}
	}()
	l, skip := pair.New(t, pair.Config{})
	if skip != "" {
		t.Fatalf("no pair: %s", skip)
	}
	for _, n := range l.Nodes {
		// Entries of the links' own traffic are not to be counted.
		n.Rules(`table inet bench {
			chain in { type filter hook prerouting priority -300; iifname sy0 notrack; }
			chain out { type filter hook output priority -300; oifname sy0 notrack; }
		}`)
	}
	f(l)
	return true
}

// labReporter is the T of a pair.
type labReporter struct{ cleanups []func() }

// labFailure is what Fatalf ends a row with.
type labFailure string

func (t *labReporter) Helper()                      {}
func (t *labReporter) Logf(form string, a ...any)   { fmt.Fprintf(os.Stderr, "bench: "+form+"\n", a...) }
func (t *labReporter) Fatalf(f string, args ...any) { panic(labFailure(fmt.Sprintf(f, args...))) }
func (t *labReporter) Cleanup(f func())             { t.cleanups = append(t.cleanups, f) }

func (t *labReporter) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

// fail ends a row, like Fatalf.
func fail(form string, args ...any) { panic(labFailure(fmt.Sprintf(form, args...))) }

func (c *ctd) logf(form string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+form+"\n", args...) }
