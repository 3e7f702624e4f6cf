package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// shrink removes moves as long as the two sides differ.
func (f *fidelity) shrink(s *scenario, first *gap) *gap {
	last, moves := first, s.moves
	enough := time.Now().Add(longestShrink)
	fails := func(try []move) bool {
		if time.Now().After(enough) {
			return false
		}
		d, _, err := f.try(s, try, false)
		if err != nil || d == nil || kindOf(d) != kindOf(first) || explained(s, try[:min(d.move+1, len(try))], d) {
			return false
		}
		last = d
		return true
	}
	if last.move < len(moves) {
		if cut := moves[:last.move+1]; fails(cut) {
			moves = cut
		}
	}
	for changed := true; changed; {
		changed = false
		for size := max(len(moves)/2, 1); size >= 1; size /= 2 {
			for i := 0; i+size <= len(moves); {
				if try := slices.Concat(moves[:i], moves[i+size:]); fails(try) {
					moves, changed = try, true
				} else {
					i += size
				}
			}
		}
	}
	return last
}

// tellMoves describes moves and the difference.
func tellMoves(moves []move, d *gap) string {
	b := new(strings.Builder)
	for i, m := range moves {
		fmt.Fprintf(b, "%3d %s\n", i, m)
		if m.packet != nil && len(moves) <= 12 {
			fmt.Fprintf(b, "      %x\n", m.packet)
		}
	}
	if d.move >= len(moves) {
		fmt.Fprintf(b, "differ in the table at the end: %s\n", d.what)
	} else {
		fmt.Fprintf(b, "differ at %d: %s\n", d.move, d.what)
	}
	for i, o := range []*outcome{d.k, d.e} {
		fmt.Fprintf(b, "  %s: %s\n", [2]string{"kernel", "engine"}[i], o.verdict())
		for _, part := range []struct {
			name string
			list []answer
		}{{"event", o.events}, {"entry", o.entry}, {"expectation", o.expects}} {
			for _, a := range part.list {
				fmt.Fprintf(b, "    %s %s\n", part.name, a)
			}
		}
		for _, p := range o.leaves {
			fmt.Fprintf(b, "    leaves %x\n", p.Data)
		}
		fmt.Fprintf(b, "    counters %s\n", showStats(o.stats))
	}
	return b.String()
}
