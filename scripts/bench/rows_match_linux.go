package main

import (
	"bufio"
	"fmt"
	"os"
)

// matchRow deletes the entries that one of ten thousand filters matches, each of
// one entry, in a large table.
func (b *bench) matchRow() error {
	n := min(10_000, b.entries)
	file := b.file("filters")
	if err := writeFilters(file, n); err != nil {
		return err
	}
	defer os.Remove(file)
	if err := b.want(tcp, b.entries); err != nil {
		return err
	}
	b.holds = contents{} // it is about to change
	complete := func() error {
		entries, _, err := b.table.Count()
		if err != nil || int(entries) == b.entries {
			return err
		}
		if err := b.batch.create(tcpEntry, 0, n, batchSize); err != nil {
			return err
		}
		return b.left(b.entries)
	}
	ours, limit := b.ours("delete", "--match", file), &contestant{argv: role("drain")}
	ours.prepare, limit.prepare = complete, complete
	limit.check = counts(b.entries)
	check := func(o outcome) error {
		if err := counts(n)(o); err != nil {
			return err
		}
		return b.left(b.entries - n)
	}
	if err := b.race(check, ours, nil, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: fmt.Sprintf("delete --match FILE, %s filters", count(n)), ours: ours.result(),
		limit: limit.result(), limitName: "drain",
		goals: []goal{atMost(1.2, "drain", ours.result(), limit.result())},
	})
	return nil
}

// writeFilters writes filters of the first n TCP entries, each of one entry.
func writeFilters(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range n {
		en := tcpEntry(i)
		t := &en.Orig
		if i%2 == 0 {
			fmt.Fprintf(w, "-p tcp -s %s -d %s --sport %d --dport %d\n", t.Src, t.Dst, t.SrcPort, t.DstPort)
		} else {
			fmt.Fprintf(w, "-p tcp -s %s --sport %d\n", t.Src, t.SrcPort)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
