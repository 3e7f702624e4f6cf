package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The terminal of the measurements.
const topWidth, topHeight = 120, 40

// topProgram builds conntrack-top.
func (b *bench) topProgram() (string, error) {
	path := b.file("conntrack-top")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, build("", path, modulePath+"/cmd/conntrack-top")
}

// aRow is a row of an entry: it has an address.
var aRow = regexp.MustCompile(`(?m)^.*(\d+\.\d+\.\d+\.\d+|[0-9a-f]+:[0-9a-f:]+:)`)

// full reports whether a screen has as many rows of entries as have room.
func full(screen string) bool { return len(aRow.FindAllString(screen, -1)) >= topHeight/2 }

// read reports whether a screen shows the whole table.
func read(n int) func(string) bool {
	text := fmt.Sprintf("entries %d of", n)
	return func(screen string) bool { return strings.Contains(screen, text) && full(screen) }
}

// topRow: the first screen, and the complete one, beside one -L.
func (b *bench) topRow() error {
	program, err := b.topProgram()
	if err != nil {
		return err
	}
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	list := b.ours("-L")
	list.check = counts(b.entries)
	var first, whole, cpu []time.Duration
	var peak int64
	for range b.runs {
		if err := b.sideBySide(1, list); err != nil { // one beside one
			return err
		}
		t, err := openTerminal([]string{program}, topWidth, topHeight)
		if err != nil {
			return err
		}
		at, err := t.await("the first screen", time.Minute, full)
		if err == nil {
			first = append(first, at.Sub(t.start))
			at, err = t.await("the complete screen", time.Minute, read(b.entries))
		}
		if err != nil {
			b.fail("top: %v", err)
			return t.quit("\x03")
		}
		whole = append(whole, at.Sub(t.start))
		used, err := t.cpu()
		if err != nil {
			return err
		}
		cpu, peak = append(cpu, used), max(peak, t.peak())
		if err := t.quit("q"); err != nil {
			return err
		}
	}
	g := goal{text: "≤ 300 ms"}
	g.judge(median(first).Seconds(), 0.3, "%.2f s")
	b.speed = append(b.speed, speedLine{work: "top, first screen", ours: &figures{wall: median(first)}, goals: []goal{g}})
	ours := &figures{wall: median(whole), cpu: median(cpu), peak: peak}
	b.speed = append(b.speed, speedLine{
		work: "top, complete screen (limit: -L)", ours: ours, limit: list.result(), limitName: "-L",
		goals: []goal{atMost(1.2, "-L", ours, list.result())},
	})
	return nil
}

// topRestRow: what top needs while nothing happens but its dumps.
func (b *bench) topRestRow() error {
	const long = 90 * time.Second
	program, err := b.topProgram()
	if err != nil {
		return err
	}
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	t, err := openTerminal([]string{program}, topWidth, topHeight)
	if err != nil {
		return err
	}
	if _, err := t.await("the complete screen", time.Minute, read(b.entries)); err != nil {
		b.fail("top: %v", err)
		return t.quit("\x03")
	}
	time.Sleep(time.Until(t.start.Add(10 * time.Second))) // what the start needs is no rest
	before, err := t.cpu()
	if err != nil {
		return err
	}
	time.Sleep(long)
	after, err := t.cpu()
	if err != nil {
		return err
	}
	used := after - before
	g := goal{text: "≤ 10 % of a core"}
	g.judge(100*used.Seconds()/long.Seconds(), 10, "%.1f %%")
	b.speed = append(b.speed, speedLine{
		work: fmt.Sprintf("top, %v at rest, 1 s asked", long), ours: &figures{cpu: used, peak: t.peak()}, goals: []goal{g},
	})
	for line := range strings.Lines(t.text()) {
		if strings.Contains(line, "every") {
			b.note("top at rest says: %s", strings.TrimSpace(line))
		}
	}
	return t.quit("q")
}

// topKeyRow: the time from a key to its effect on the screen, while entries are born
// and die.
func (b *bench) topKeyRow() error {
	const keys, rate = 400, 100_000
	program, err := b.topProgram()
	if err != nil {
		return err
	}
	if err := b.want(tcp, 0); err != nil {
		return err
	}
	b.holds = contents{}
	t, err := openTerminal([]string{program}, topWidth, topHeight)
	if err != nil {
		return err
	}
	defer func() { _ = t.quit("\x03") }()
	if _, err := t.await("a screen", time.Minute, func(s string) bool { return strings.Contains(s, "entries ") }); err != nil {
		return err
	}
	const long = 45 * time.Second
	churn := command(context.Background(), role("churn", "-for", long.String(), "-rate", fmt.Sprint(rate)))
	if err := churn.Start(); err != nil {
		return err
	}
	if _, err := t.await("births", 20*time.Second, full); err != nil {
		return err
	}
	var times []time.Duration
	end := time.Now().Add(long - 8*time.Second)
	for n := 0; n < keys && time.Now().Before(end); n++ {
		key, shown := "?", true
		if n%2 == 1 {
			key, shown = "x", false // not Esc, after which a terminal may send the rest of a sequence
		}
		at, err := t.press(key)
		if err != nil {
			return err
		}
		drawn, err := t.await("a key", 5*time.Second, func(s string) bool { return strings.Contains(s, helpMark) == shown })
		if err != nil {
			b.fail("top: %v", err)
			break
		}
		times = append(times, drawn.Sub(at))
		time.Sleep(time.Duration(60+n%37) * time.Millisecond)
	}
	lost := "no loss shown"
	if m := regexp.MustCompile(`(events )?lost [0-9.kM]+`).FindString(t.text()); m != "" {
		lost = m
	}
	used, err := t.cpu()
	if err != nil {
		return err
	}
	wall := time.Since(t.start)
	if err := churn.Wait(); err != nil {
		return err
	}
	if len(times) == 0 {
		return nil
	}
	slices.Sort(times)
	p99 := times[len(times)*99/100]
	g := goal{text: "p99 ≤ 50 ms"}
	g.judge(p99.Seconds()*1000, 50, "%.0f ms")
	b.speed = append(b.speed, speedLine{
		work: fmt.Sprintf("top, a key under %s births and deaths a second (p99 of %d)", count(rate), len(times)),
		ours: &figures{wall: p99}, goals: []goal{g},
	})
	b.note("top under churn: median %v, largest %v from key to screen, %s, CPU %.2f of a core.",
		times[len(times)/2].Round(time.Millisecond), times[len(times)-1].Round(time.Millisecond), lost, used.Seconds()/wall.Seconds())
	return nil
}

// helpMark is on the screen while the help is open, and not otherwise.
const helpMark = "Keys of all views"

// topBesideRow: programs that show connections, on the same table: the time to a full
// first screen, and what ten seconds cost.
func (b *bench) topBesideRow() error {
	program, err := b.topProgram()
	if err != nil {
		return err
	}
	n := min(b.entries, 100_000)
	if err := b.want(mixed, n); err != nil {
		return err
	}
	for _, argv := range [][]string{{program}, {"iptstate"}, {"flowtop", "-G", "-n"}} {
		var first, cpu []time.Duration
		var peak int64
		var failed error
		for range min(b.runs, 3) {
			at, used, size, err := b.beside(argv)
			if err != nil {
				failed = err
				break
			}
			first, cpu, peak = append(first, at), append(cpu, used), max(peak, size)
		}
		f := &figures{missing: "failed"}
		if failed == nil {
			f = &figures{wall: median(first), cpu: median(cpu), peak: peak}
		} else {
			b.note("%s: %v", argv[0], failed)
		}
		name := argv[0]
		if name == program {
			name = "top"
		}
		b.speed = append(b.speed, speedLine{work: fmt.Sprintf("%s, %s entries: full first screen, CPU of ten seconds", name, count(n)), ours: f})
	}
	return nil
}

// beside runs a program for ten seconds.
func (b *bench) beside(argv []string) (first, cpu time.Duration, peak int64, err error) {
	const long = 10 * time.Second
	t, err := openTerminal(argv, topWidth, topHeight)
	if err != nil {
		return 0, 0, 0, err
	}
	at, err := t.await("a full screen", time.Minute, full)
	if err == nil {
		time.Sleep(time.Until(t.start.Add(long)))
		cpu, err = t.cpu()
		peak = t.peak()
	}
	first = at.Sub(t.start)
	if qerr := t.quit("q"); qerr != nil && err == nil {
		_ = unix.Kill(t.cmd.Process.Pid, unix.SIGKILL)
	}
	return first, cpu, peak, err
}
