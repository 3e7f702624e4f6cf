package main

import (
	"fmt"
	"os"
	"strconv"
)

// memoryRow: what -L holds in memory does not grow with the table.
func (b *bench) memoryRow() error {
	const few = 10_000
	small, err := b.peaks(few)
	if err != nil {
		return err
	}
	large, err := b.peaks(b.entries)
	if err != nil {
		return err
	}
	same := goal{text: "≤ 1.25 × at " + count(few), reached: "–"}
	if ours := large[0]; ours.missing == "" && small[0].peak > 0 {
		same.judge(float64(ours.peak)/float64(small[0].peak), 1.25, "%.2f")
	}
	b.speed = append(
		b.speed,
		speedLine{
			work:  "-L, memory at " + count(few),
			ours:  small[0],
			ref:   small[1],
			goals: []goal{memoryGoal(24, small[0])},
		},
		speedLine{
			work:  "-L, memory at " + count(b.entries),
			ours:  large[0],
			ref:   large[1],
			goals: []goal{memoryGoal(24, large[0]), same},
		},
	)
	return nil
}

// peaks returns the memory of -L of ours and of the reference's, the largest of
// the runs.
func (b *bench) peaks(n int) (peaks [2]*figures, err error) {
	if err := b.want(mixed, n); err != nil {
		return peaks, err
	}
	for i, c := range []*contestant{b.ours("-L"), b.theirs("-L")} {
		if c == nil {
			continue
		}
		c.check = counts(n)
		for range b.runs {
			o, err := b.once(c, true)
			if err != nil {
				return peaks, err
			}
			if err := c.judge(o); err != nil {
				b.failed(c, o, err)
				break
			}
			c.peak = max(c.peak, o.peak)
		}
		peaks[i] = c.result()
	}
	return peaks, nil
}

// listRow is the whole table.
func (b *bench) listRow() error {
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	if err := b.compare("-L"); err != nil {
		return err
	}
	ours, ref := b.ours("-L"), b.theirs("-L")
	limit := &contestant{argv: role("drain")}
	peer := &contestant{argv: role("timo"), runs: 1}
	moved := &contestant{argv: role("timo", "ctnetlink"), runs: 1}
	if err := b.race(counts(b.entries), ours, ref, limit, peer, moved); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: "-L", ours: ours.result(), ref: ref.result(), limit: limit.result(), limitName: "drain",
		goals: []goal{atMost(1.10, "drain", ours.result(), limit.result()), memoryGoal(24, ours.result())},
	})
	if peer.ok() && moved.ok() && limit.ok() {
		b.note("github.com/ti-mo/conntrack v0.6.0, `Dump` and a line each: %s, %.1f × the drain (one run); "+
			"the same program on ctnetlink/timo: %s, %.1f × the drain.",
			peer.figures.String(), float64(peer.wall)/float64(limit.wall),
			moved.figures.String(), float64(moved.wall)/float64(limit.wall))
	}
	return nil
}

// sourceRow is one entry by its source address.
func (b *bench) sourceRow() error {
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	args := []string{"-L", "-s", rareSource.String()}
	if err := b.compare(args...); err != nil {
		return err
	}
	ours, ref := b.ours(args...), b.theirs(args...)
	limit := &contestant{argv: role("drain", "-src", rareSource.String())}
	if err := b.race(counts(1), ours, ref, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: "-L -s ADDR (1 entry)", ours: ours.result(), ref: ref.result(), limit: limit.result(), limitName: "filtered drain",
		goals: []goal{atMost(1.10, "filtered drain", ours.result(), limit.result())},
	})
	return nil
}

// portRow is one service's entries, whatever their family.
func (b *bench) portRow() error {
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	port := strconv.Itoa(rarePort)
	args := []string{"-L", "-p", "tcp", "--dport", port}
	if err := b.compare(args...); err != nil {
		return err
	}
	n := (b.entries + 1024 - 6) / 1024
	ours, ref := b.ours(args...), b.theirs(args...)
	limit := &contestant{argv: role("drain", "-dport", port)}
	if err := b.race(counts(n), ours, ref, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: fmt.Sprintf("-L -p tcp --dport N (%s entries)", count(n)), ours: ours.result(), ref: ref.result(),
		limit: limit.result(), limitName: "2 filtered drains",
		goals: []goal{atMost(1/2.5, "reference", ours.result(), ref.result())},
	})
	return nil
}

// outputRow is the whole table in another form.
func (b *bench) outputRow(form string) error {
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	ours, ref := b.ours("-L", "-o", form), b.theirs("-L", "-o", form)
	check := counts(b.entries)
	if form == "json" {
		ref = nil // it has no such form
		check = nil
	}
	limit := &contestant{argv: role("drain"), check: counts(b.entries)}
	if err := b.race(check, ours, ref, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: "-L -o " + form, ours: ours.result(), ref: ref.result(), limit: limit.result(), limitName: "drain",
		goals: []goal{atMost(1.3, "drain", ours.result(), limit.result())},
	})
	return nil
}

// summaryRow counts the entries of each source; the reference's contestant is
// the pipeline that people type.
func (b *bench) summaryRow() error {
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	ours := b.ours("-L", "--by", "src")
	limit := &contestant{argv: role("drain"), check: counts(b.entries)}
	var ref *contestant
	if b.reference != "" {
		const pipeline = `"$0" -L | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^src=/) { print $i; break } }' | sort | uniq -c | sort -rn`
		ref = &contestant{argv: []string{"/bin/sh", "-c", pipeline, b.reference}, runs: 1}
	}
	if err := b.race(nil, ours, ref, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: "summary by source (reference: awk, sort, uniq)", ours: ours.result(), ref: ref.result(), limit: limit.result(), limitName: "drain",
		goals: []goal{atMost(1.15, "drain", ours.result(), limit.result())},
	})
	return nil
}

// engineRow is -L from a table file, against -L of the kernel's table.
func (b *bench) engineRow() error {
	if err := b.want(mixed, b.entries); err != nil {
		return err
	}
	file := b.file("table")
	defer os.Remove(file)
	save := b.ours("-L", "-o", "netlink")
	save.output = file
	o, err := b.once(save, false)
	if err != nil {
		return err
	}
	line := speedLine{work: "-L from a table file (limit: the kernel's -L)"}
	if save.judge(o) != nil {
		line.ours = &figures{missing: "not built"}
		line.goals = []goal{atMost(1, "kernel's -L", line.ours, nil)}
		b.speed = append(b.speed, line)
		return nil
	}
	ours, limit := b.ours("--table", file, "-L"), b.ours("-L")
	if err := b.race(counts(b.entries), ours, limit); err != nil {
		return err
	}
	line.ours, line.limit, line.limitName = ours.result(), limit.result(), "kernel's -L"
	line.goals = []goal{atMost(1, "kernel's -L", ours.result(), limit.result())}
	b.speed = append(b.speed, line)
	return nil
}

// countRow is a whole process that does next to nothing, against a Go program
// that does nothing; and the same by name.
func (b *bench) countRow() error {
	ours, ref, limit := b.ours("-C"), b.theirs("-C"), &contestant{argv: []string{b.empty}}
	named := b.ours("count")
	there := []*contestant{ours, limit, named}
	if ref != nil {
		there = append(there, ref)
	}
	const atLeast = 200 // a process is short
	if err := b.sideBySide(max(b.runs, atLeast), there...); err != nil {
		return err
	}
	for _, c := range there {
		c.peak = 0 // too short to be followed
	}
	b.speed = append(b.speed, speedLine{
		work: "-C, whole process", ours: ours.result(), ref: ref.result(), limit: limit.result(), limitName: "empty Go program",
		goals: []goal{atMost(1.9, "empty Go program", ours.result(), limit.result())},
	}, speedLine{
		work: "count, whole process", ours: named.result(), limit: ours.result(), limitName: "-C",
		goals: []goal{atMost(1.2, "-C", named.result(), ours.result())},
	})
	return nil
}
