package action

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// TestLookedUpLines: a file gives the same output and the same table, line by line,
// whether entries are looked up or the table is walked for them.
func TestLookedUpLines(t *testing.T) {
	now := time.Now()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		var text strings.Builder
		for range 300 {
			text.WriteString(randomLine(random) + "\n")
		}
		looked, walked := newLineRun(t, now), newLineRun(t, now)
		looked.e.Zones = &zoneIndex{walks: walksBefore}
		// With masks the table is walked.
		plain := strings.ReplaceAll(text.String(), "/32", "")
		next, stop := iter.Pull(lineRequests(t, text.String()))
		for r := range looked.e.Zones.watch(lineRequests(t, plain)) {
			same, _ := next()
			got, want := looked.run(r), walked.run(same)
			if got != want {
				t.Fatalf("seed %d, line %d: %s\n%s\nwith a walk:\n%s", seed, r.Line, r.Text, got, want)
			}
			if got, want := looked.table(), walked.table(); got != want {
				t.Fatalf("seed %d, line %d: %s\nthe table is\n%s\nwith a walk:\n%s", seed, r.Line, r.Text, got, want)
			}
		}
		stop()
		looked.e.Batch.Close()
		walked.e.Batch.Close()
	}
}

// randomLine returns a line about one of a few tuples.
func randomLine(random *rand.Rand) string {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	a, b := "10.0.0.1", "10.0.0.2"
	if random.IntN(2) == 0 {
		a, b = b, a
	}
	proto := pick("-p udp --sport 500 --dport 500", "-p udp --sport 500 --dport 500", "-p tcp --sport 1 --dport 2",
		"-p icmp --icmp-type 8 --icmp-code 0 --icmp-id 7", "-p gre --srckey 1 --dstkey 2", "-p 99", "-p dccp --sport 1 --dport 2")
	tuple, masked := fmt.Sprintf("%s -s %s -d %s", proto, a, b), fmt.Sprintf("%s -s %s/32 -d %s/32", proto, a, b)
	zone := pick("", "", "", "-w 1", "-w 2", "--orig-zone 1", "--orig-zone 2", "--reply-zone 1", "--reply-zone 2")
	state := ""
	if strings.Contains(proto, "tcp") {
		state = "--state ESTABLISHED"
	}
	switch random.IntN(10) {
	case 0, 1, 2:
		return fmt.Sprintf("%s -t 100 -m %d %s %s %s", pick("-I", "-A"), random.IntN(3), tuple, zone, state)
	case 3:
		return fmt.Sprintf("-U -m %d %s %s", random.IntN(3), masked, zone)
	case 4:
		return "-D -p udp --dport 500 " + pick("", "-m 1", "-w 1")
	}
	return fmt.Sprintf("-D %s %s %s", masked, zone,
		pick("", "", "-m 1", "-w 0", "--orig-zone 0", "--reply-zone 0", "-u UNSET", "-o xml", "-o json", "-o save", "--dry-run"))
}

func lineRequests(t *testing.T, text string) iter.Seq[*cmdline.Request] {
	t.Helper()
	requests, stop := cmdline.ReadAhead("", text)
	t.Cleanup(stop)
	return requests
}

// lineRun runs lines on a table in memory.
type lineRun struct {
	e      *Env
	stdout bytes.Buffer
	stderr bytes.Buffer
}

func newLineRun(t *testing.T, now time.Time) *lineRun {
	t.Helper()
	table := engine.New(engine.Options{Now: func() time.Time { return now }})
	l := new(lineRun)
	l.e = &Env{
		Streams: console.NewStreams(nil, &l.stdout, &l.stderr), Report: &quiet{}, Unrestored: &unrestored{},
		Tables: []*target.Table{{Conn: ctnetlink.NewConn(table.Dial)}},
	}
	l.e.Batch = l.e.conn().NewBatch()
	return l
}

// run returns what a line writes. Entries come in any order, and with -o json a
// comma follows all but the last.
func (l *lineRun) run(r *cmdline.Request) string {
	l.stdout.Reset()
	l.stderr.Reset()
	err := runLine(l.e, r)
	_ = l.e.Out.Flush()
	lines := strings.Split(strings.ReplaceAll(l.stdout.String(), ",\n", "\n"), "\n")
	slices.Sort(lines)
	return fmt.Sprintf("%s%s%v", strings.Join(lines, "\n"), &l.stderr, err)
}

// table lists the table.
func (l *lineRun) table() string {
	var lines []string
	for f, err := range l.e.conn().Dump(nil) {
		mark, _ := f.Mark()
		zone, _ := f.Zone()
		lines = append(lines, fmt.Sprintf("%v zone %d mark %d %v", f, zone, mark, err))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestLookedUpIsJudged: what --idle and --growing choose is chosen among entries
// that are looked up too.
func TestLookedUpIsJudged(t *testing.T) {
	const tuple = " -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 -w 5"
	for _, line := range []string{"-L", "-D", "-U -m 1"} {
		l := newLineRun(t, time.Now())
		for r := range lineRequests(t, "-I -t 100"+tuple) {
			l.run(r)
		}
		before := l.table()
		l.e.Activity = &activity{seed: maphash.MakeSeed()} // no entry was seen in the first look
		r, err := cmdline.ParseClassic(strings.Fields(line+tuple), nil)
		if err != nil {
			t.Fatal(err)
		}
		if out := l.run(r); strings.Contains(out, "10.0.0.1") || l.table() != before || before == "" {
			t.Errorf("%s: %q\n%s", line, out, l.table())
		}
		l.e.Batch.Close()
	}
}
