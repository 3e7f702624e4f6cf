package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// eventRuns is how often a burst is repeated.
const eventRuns = 3

// eventRun is what became of the events of one run.
type eventRun struct {
	created, seen int
	dropped       int // what the program says it received and dropped
	lost          int // what it says that the kernel lost
	drops         int // what the kernel says it had no room for
	peak          int64
	rate          float64 // creations a second
}

// watcher is one of the two programs, following events.
type watcher struct {
	name string
	argv []string
	ours bool
}

func (b *bench) watchers(args ...string) []watcher {
	ws := []watcher{{"ours", append([]string{b.program}, args...), true}}
	if b.reference != "" {
		ws = append(ws, watcher{"reference", append([]string{b.reference}, args...), false})
	}
	return ws
}

// follow lets a program follow what another process, in the role of argv,
// creates; each creation makes lines events.
func (b *bench) follow(w watcher, to *sink, lines int, calm time.Duration, argv []string) (eventRun, error) {
	var r eventRun
	if err := b.flush(); err != nil {
		return r, err
	}
	l, err := b.listen(w.argv, to.w)
	if err != nil {
		to.lines()
		return r, err
	}
	defer l.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := command(ctx, argv).Output()
	if err != nil {
		return r, fmt.Errorf("the creating process: %w", err)
	}
	var seconds float64
	if _, err := fmt.Sscan(string(out), &r.created, &seconds); err != nil {
		return r, fmt.Errorf("the creating process: %w", err)
	}
	l.settle(to.progress, calm)
	if err := l.stop(); err != nil {
		return r, err
	}
	r.seen = to.lines()
	r.rate = float64(r.created) / seconds
	r.dropped, r.lost = l.told(droppedText), l.told(lostText)
	r.drops, r.peak = l.drops, l.peak
	if events := lines * r.created; w.ours && r.seen+r.dropped+r.lost != events {
		b.fail("%d events, %d seen, %d told as dropped and %d as lost: that is not all", events, r.seen, r.dropped, r.lost)
	}
	return r, nil
}

// burstRow creates entries as fast as they go while NEW events are followed.
func (b *bench) burstRow() error {
	for _, n := range []int{burstEntries, 500_000} {
		if n > burstEntries && n > b.entries {
			b.logf("a burst of %s is left out: more than --entries", count(n))
			continue
		}
		creating := role("fill", "-n", strconv.Itoa(n))
		for _, kind := range []string{"file", "pipe"} {
			for _, w := range b.watchers("-E", "-e", "NEW") {
				line := eventLine{work: "-E -e NEW, burst of " + count(n), output: kind, program: w.name}
				for range eventRuns {
					to, err := fileSink(b.file("events"))
					if kind == "pipe" {
						to, err = pipeSink(0, io.Discard)
					}
					if err != nil {
						return err
					}
					r, err := b.follow(w, to, 1, 30*time.Second, creating)
					if errors.Is(err, errNotBuilt) {
						break
					}
					if err != nil {
						return err
					}
					line.runs = append(line.runs, r)
				}
				if w.ours && n == burstEntries {
					line.goal = "0 lost"
					line.reached = func(r eventRun) bool { return r.seen == r.created }
				}
				b.events = append(b.events, line)
			}
		}
	}
	return nil
}

// slowRow lets a consumer read slower than events come. Ours gets a small
// queue, so that it must drop: all that was created is seen or told.
func (b *bench) slowRow() error {
	const rate, queue = 1_000_000, 4
	creating := role("fill", "-n", strconv.Itoa(b.changed()))
	for _, w := range b.watchers("-E", "-e", "NEW") {
		if w.ours {
			w.argv = append(w.argv, "--queue", strconv.Itoa(queue))
		}
		to, err := pipeSink(rate, io.Discard)
		if err != nil {
			return err
		}
		line := eventLine{
			work:    fmt.Sprintf("slow consumer, %s created (ours: --queue %d)", count(b.changed()), queue),
			output:  "pipe, 1 MB/s",
			program: w.name,
		}
		r, err := b.follow(w, to, 1, 2*time.Second, creating)
		if err != nil && !errors.Is(err, errNotBuilt) {
			return err
		}
		if err == nil {
			line.runs = append(line.runs, r)
		}
		if w.ours {
			line.goal = "seen and told make all"
			line.reached = func(r eventRun) bool { return r.seen+r.dropped == r.created }
		}
		b.events = append(b.events, line)
	}
	return nil
}

// sustainedRow creates and deletes for a while: each entry is seen born and
// seen dead, by its id.
func (b *bench) sustainedRow() error {
	creating := role("churn", "-for", b.eventsFor.String())
	for _, w := range b.watchers("-E", "-e", "NEW,DESTROY", "-o", "id") {
		lives := &lives{alive: map[string]int{}}
		to, err := pipeSink(0, lives)
		if err != nil {
			return err
		}
		line := eventLine{
			work:    fmt.Sprintf("births and deaths by id, %v of churn", b.eventsFor),
			output:  "pipe",
			program: w.name,
		}
		r, err := b.follow(w, to, 2, 10*time.Second, creating)
		if err != nil && !errors.Is(err, errNotBuilt) {
			return err
		}
		if err == nil {
			whole := lives.born == r.created && lives.dead == r.created && lives.orphans == 0 && len(lives.alive) == 0
			if w.ours {
				line.goal, line.reached = "each born and dead once", func(eventRun) bool { return whole }
			}
			if w.ours && !whole {
				b.fail(
					"%d created, %d seen born, %d seen dead; %d died unborn, %d never died",
					r.created,
					lives.born,
					lives.dead,
					lives.orphans,
					len(lives.alive),
				)
			}
			line.runs = append(line.runs, r)
			line.perEntry = 2
		}
		b.events = append(b.events, line)
	}
	return nil
}

// lives follows entries through the lines that are written to it.
type lives struct {
	rest       []byte // of a line
	alive      map[string]int
	born, dead int
	orphans    int // died before they were born
}

func (l *lives) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	text := l.rest
	for {
		line, after, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			break
		}
		l.line(line)
		text = after
	}
	l.rest = append(l.rest[:0], text...)
	return len(b), nil
}

func (l *lives) line(line []byte) {
	_, id, _ := bytes.Cut(line, []byte(" id="))
	id, _, _ = bytes.Cut(id, []byte(" "))
	switch {
	case bytes.Contains(line, []byte("[NEW]")):
		l.born++
		l.alive[string(id)]++
	case bytes.Contains(line, []byte("[DESTROY]")):
		l.dead++
		switch l.alive[string(id)] {
		case 0:
			l.orphans++
		case 1:
			delete(l.alive, string(id))
		default:
			l.alive[string(id)]--
		}
	}
}

// latencyRow is how long a single event takes to come out of a pipe.
func (b *bench) latencyRow() error {
	line := speedLine{work: "-E, one event to a pipe"}
	for _, w := range b.watchers("-E", "-e", "NEW") {
		f, err := b.latency(w)
		if err != nil {
			return err
		}
		if w.ours {
			line.ours = f
		} else {
			line.ref = f
		}
	}
	b.speed = append(b.speed, line)
	return nil
}

func (b *bench) latency(w watcher) (*figures, error) {
	const events, pause = 200, 10 * time.Millisecond
	if err := b.flush(); err != nil {
		return nil, err
	}
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	defer unix.Close(p[0])
	out := os.NewFile(uintptr(p[1]), "pipe")
	defer out.Close()
	l, err := b.listen(w.argv, out)
	if errors.Is(err, errNotBuilt) {
		return &figures{missing: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	defer l.cancel()
	buf := make([]byte, 4096)
	times := make([]time.Duration, 0, events)
	for i := range events {
		time.Sleep(pause)
		start := time.Now()
		if err := b.batch.create(tcpEntry, i, 1, 1); err != nil {
			return nil, err
		}
		ready := []unix.PollFd{{Fd: int32(p[0]), Events: unix.POLLIN}}
		if n, err := unix.Poll(ready, 2000); err == unix.EINTR {
			continue
		} else if n != 1 {
			b.fail("%s: an event did not come within two seconds", w.name)
			return &figures{missing: "failed"}, l.stop()
		}
		if _, err := unix.Read(p[0], buf); err != nil {
			return nil, os.NewSyscallError("read", err)
		}
		times = append(times, time.Since(start))
	}
	return &figures{wall: median(times)}, l.stop()
}
