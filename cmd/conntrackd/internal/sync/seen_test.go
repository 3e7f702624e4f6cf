package sync

import (
	"math/rand/v2"
	"testing"
)

// Gaps of every length leave what a map of the sequences has, beyond the wrap too.
func TestSeen(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s seen
	want := map[uint32]bool{}
	last := uint32(1<<32 - 3*seenLen)
	for i := range 2000 {
		seq := last + 1 + r.Uint32N(1<<r.Uint32N(14))
		if i%3 == 0 {
			seq = last - r.Uint32N(500)
		}
		place, gap := s.add(seq)
		switch d := int32(seq - last); {
		case len(want) == 0:
			last = seq
		case want[seq]:
			if place != double {
				t.Fatalf("%d came before, and is %v", seq, place)
			}
		case d > 0:
			if place != inOrder || gap != uint32(d)-1 {
				t.Fatalf("%d after %d: %v, a gap of %d", seq, last, place, gap)
			}
			last = seq
		case place != late:
			t.Fatalf("%d before %d, which had not come, is %v", seq, last, place)
		}
		want[seq] = true
		if i%50 != 0 {
			continue
		}
		count := uint32(0)
		for q := last - seenLen + 1; q != last+1; q++ {
			if want[q] {
				count++
			}
		}
		if got := s.count(last-seenLen+1, last); got != count {
			t.Fatalf("%d of the last ones are known, want %d", got, count)
		}
	}
}

// BenchmarkSeenGaps is the longest gap that is remembered, again and again.
func BenchmarkSeenGaps(b *testing.B) {
	var s seen
	for i := range b.N {
		s.add(uint32(i) * (seenLen - 1))
	}
}
