package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// burstEntries is how many entries the changing rows and the bursts have: two
// addresses' worth of ports.
const burstEntries = 2 * 65535

func (b *bench) changed() int { return min(burstEntries, b.entries) }

// deleteRow deletes all of a table of TCP entries.
func (b *bench) deleteRow() error {
	n := b.changed()
	args := []string{"-D", "-p", "tcp"}
	ours, ref, limit := b.ours(args...), b.theirs(args...), &contestant{argv: role("change")}
	check := func(o outcome) error {
		if err := counts(n)(o); err != nil {
			return err
		}
		return b.left(0)
	}
	for _, c := range []*contestant{ours, ref, limit} {
		if c != nil {
			c.prepare = b.refill(n)
		}
	}
	if err := b.race(check, ours, ref, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: fmt.Sprintf("-D -p tcp, %s entries", count(n)), ours: ours.result(), ref: ref.result(),
		limit: limit.result(), limitName: "dump and batched delete",
		goals: []goal{atMost(0.4, "reference", ours.result(), ref.result())},
	})
	return nil
}

// updateRow marks all of a table of TCP entries.
func (b *bench) updateRow() error {
	n := b.changed()
	// The reference (1.4.7) is refused without a family, and gives up after
	// 256 entries, whose answers fill its socket.
	ours, ref := b.ours("-U", "-p", "tcp", "-m", "1"), b.theirs("-U", "-f", "ipv4", "-p", "tcp", "-m", "1")
	limit := &contestant{argv: role("change", "-mark", "1")}
	for _, c := range []*contestant{ours, ref, limit} {
		if c != nil {
			c.prepare = b.refill(n)
		}
	}
	if err := b.race(counts(n), ours, ref, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: fmt.Sprintf("-U -p tcp -m 1, %s entries", count(n)), ours: ours.result(), ref: ref.result(),
		limit: limit.result(), limitName: "dump and batched update",
		goals: []goal{atMost(0.5, "reference", ours.result(), ref.result())},
	})
	return nil
}

// loadRow runs a file of creations; the first refusal would end it.
func (b *bench) loadRow() error {
	return b.load(
		fmt.Sprintf("-R, %s lines of -I", count(b.changed())),
		"one by one",
		1,
		0.85,
		func(file string) []string { return []string{"-R", file} },
	)
}

// keepGoingRow may send the lines in batches.
func (b *bench) keepGoingRow() error {
	return b.load("the same, load --keep-going", "in batches", batchSize, 0.5,
		func(file string) []string { return []string{"load", "--keep-going", file} })
}

func (b *bench) load(work, limitName string, batch int, most float64, args func(file string) []string) error {
	n := b.changed()
	file := b.file("lines")
	if err := writeLines(file, n); err != nil {
		return err
	}
	defer os.Remove(file)
	ours, ref := b.ours(args(file)...), b.theirs("-R", file)
	limit := &contestant{argv: role("fill", "-n", strconv.Itoa(n), "-batch", strconv.Itoa(batch))}
	for _, c := range []*contestant{ours, ref, limit} {
		if c != nil {
			c.prepare = b.flush
		}
	}
	check := func(outcome) error { return b.left(n) }
	if err := b.race(check, ours, ref, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: work, ours: ours.result(), ref: ref.result(), limit: limit.result(), limitName: limitName,
		goals: []goal{atMost(most, "reference", ours.result(), ref.result())},
	})
	return nil
}

// writeLines writes the commands that create the first n TCP entries.
func writeLines(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range n {
		en := tcpEntry(i)
		t := &en.Orig
		fmt.Fprintf(w, "-I -t %d -u %s -p tcp -s %s -d %s --sport %d --dport %d --state ESTABLISHED\n",
			en.Timeout/time.Second, statusWords(en.Status), t.Src, t.Dst, t.SrcPort, t.DstPort)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func statusWords(s ctnetlink.Status) string {
	if s&ctnetlink.StatusAssured != 0 {
		return "SEEN_REPLY,ASSURED"
	}
	return "UNSET"
}
