package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// bench is a run.
type bench struct {
	entries, buckets, runs int
	eventsFor              time.Duration
	program, reference     string // paths; no reference: ""
	empty                  string

	dir    string
	stderr *os.File // of the measured processes
	table  *ctnetlink.Conn
	batch  *batcher
	holds  contents

	speed    []speedLine
	events   []eventLine
	notes    []string
	failures int
}

// roles are what this program does as a process of its own.
var roles = map[string]func(args []string) error{
	"drain": drainRole, "change": changeRole, "timo": timoRole, "fill": fillRole,
	"churn": churnRole, "compare": compareRole, "guard": guardRole, "named": namedRole,
	"recreate": recreateRole, "track": trackRole, "traffic": trafficRole,
	"conntrackd": ctdRole,
}

func init() {
	// The main thread enters the namespace, and starts every process.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) > 1 {
		if run, ok := roles[os.Args[1]]; ok {
			if err := run(os.Args[2:]); err != nil {
				fmt.Fprintf(os.Stderr, "bench %s: %v\n", os.Args[1], err)
				os.Exit(1)
			}
			return
		}
	}
	os.Exit(measure())
}

func newRoleFlags(name string) *flag.FlagSet { return flag.NewFlagSet(name, flag.ContinueOnError) }

// measure runs the rows and returns the exit status.
func measure() int {
	b := new(bench)
	flag.IntVar(&b.entries, "entries", 1_000_000, "entries in the table that is listed, at most 8 000 000")
	flag.IntVar(&b.buckets, "buckets", 0, "buckets of the table's hash, if it has fewer (default: as many as entries)")
	flag.IntVar(&b.runs, "runs", 5, "runs of which the median is shown")
	seconds := flag.Int("events-seconds", 60, "seconds of churn in the row sustained")
	only := flag.String("rows", "", "rows to run, separated by commas (default all): "+strings.Join(rowNames(), " "))
	document := flag.String("markdown", "", "file that takes the tables, between "+beginMark+" and "+endMark)
	flag.StringVar(&b.program, "program", "", "our program, built already (default: it is built)")
	flag.StringVar(&b.reference, "reference", "conntrack", "the reference program")
	flag.Parse()
	b.eventsFor = time.Duration(*seconds) * time.Second
	chosen, err := chooseRows(*only)
	switch {
	case err != nil:
	case flag.NArg() > 0:
		err = fmt.Errorf("what is %q?", flag.Arg(0))
	case b.entries < 1 || b.entries > 8_000_000 || b.runs < 1 || *seconds < 1:
		err = errors.New("--entries must be between 1 and 8 000 000, --runs and --events-seconds at least 1")
	case os.Geteuid() != 0:
		err = errors.New("root only: it raises net.netfilter.nf_conntrack_max and makes a network namespace")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 2
	}
	if b.buckets == 0 {
		b.buckets = b.entries
	}
	if err := b.all(chosen); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	report := b.report()
	fmt.Print(report)
	if *document != "" {
		if err := writeInto(*document, report); err != nil {
			b.fail("the tables are printed only: %v", err)
		}
	}
	if b.failures > 0 {
		fmt.Fprintf(os.Stderr, "bench: %d checks failed\n", b.failures)
		return 1
	}
	return 0
}

// all prepares the machine, runs the rows and leaves it as it was.
func (b *bench) all(chosen []row) (err error) {
	if b.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	var l *limits
	cleanup := sync.OnceFunc(func() {
		if l != nil {
			l.restore()
		}
		os.RemoveAll(b.dir)
	})
	defer cleanup()
	if err := b.findPrograms(); err != nil {
		return err
	}
	if b.stderr, err = os.Create(b.file("stderr")); err != nil {
		return err
	}
	defer b.stderr.Close()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	const room = 600_000 // for the largest burst
	if l, err = raiseLimits(max(b.entries, room)+room, b.buckets); err != nil {
		return err
	}
	if b.buckets, err = readNumber(bucketsPath); err != nil {
		return err
	}
	go func() {
		s := <-signals
		fmt.Fprintf(os.Stderr, "bench: %v: the limits are put back\n", s)
		cleanup()
		os.Exit(1) // and with it the other processes, and the namespace
	}()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("new network namespace: %w", err)
	}
	b.table = ctnetlink.Open()
	defer b.table.Close()
	if b.batch, err = newBatcher(); err != nil {
		return err
	}
	defer b.batch.close()
	defer func() {
		if ferr := b.flush(); err == nil {
			err = ferr
		}
	}()
	for _, r := range chosen {
		start := time.Now()
		b.logf("%s …", r.name)
		if err := r.run(b); err != nil {
			b.fail("row %s: %v", r.name, err)
		}
		b.logf("%s: done in %.1f s", r.name, time.Since(start).Seconds())
	}
	return nil
}

func rowNames() []string {
	var names []string
	for _, r := range rows {
		names = append(names, r.name)
	}
	return names
}

func chooseRows(list string) ([]row, error) {
	if list == "" {
		return rows, nil
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(rowNames(), name) {
			return nil, fmt.Errorf("no row %q: there are %s", name, strings.Join(rowNames(), " "))
		}
	}
	var chosen []row
	for _, r := range rows {
		if slices.Contains(names, r.name) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

// file names a temporary file.
func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

// fail reports a difference or a failure: the run goes on, the exit status
// is 1.
func (b *bench) fail(format string, args ...any) {
	b.failures++
	fmt.Fprintf(os.Stderr, "bench: FAILED: "+format+"\n", args...)
}

func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}
