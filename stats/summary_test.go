package stats

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// record has the values of an entry that a summary by two keys adds.
type record struct {
	values         [2]Value
	code           []byte
	packets, bytes uint64
	counted        bool
}

func randomRecords(r *rand.Rand, n int) []record {
	list := make([]record, n)
	for i := range list {
		rec := &list[i]
		for k := range rec.values {
			v, code := randomValue(r)
			rec.values[k], rec.code = v, append(rec.code, code...)
		}
		if rec.counted = r.IntN(3) > 0; rec.counted {
			rec.packets, rec.bytes = uint64(r.IntN(5)), r.Uint64N(1<<40)
		}
	}
	return list
}

func summarize(records []record) *Summary {
	s := NewSummary([]string{"one", "two"})
	for _, rec := range records {
		s.Add(rec.code, rec.packets, rec.bytes, rec.counted)
	}
	return s
}

func collectGroups(t *testing.T, s *Summary, order string, limit int) []Group {
	t.Helper()
	sorted, err := s.Sorted(ParseOrder(order), limit)
	if err != nil {
		t.Fatal(err)
	}
	return cloneGroups(sorted)
}

func cloneGroups(seq iter.Seq[*Group]) []Group {
	var groups []Group
	for g := range seq {
		c := *g
		c.Values = slices.Clone(g.Values)
		groups = append(groups, c)
	}
	return groups
}

// TestSummary compares a summary with a map of texts.
func TestSummary(t *testing.T) {
	records := randomRecords(rand.New(rand.NewPCG(6, 2)), 15000)
	want := map[string]Group{}
	var total Group
	for _, rec := range records {
		key := fmt.Sprint(rec.values)
		for _, g := range []*Group{&total, new(Group)} {
			if g != &total {
				*g = want[key]
			}
			g.Entries++
			g.Packets += rec.packets
			g.Bytes += rec.bytes
			g.Counted = g.Counted || rec.counted
			if g != &total {
				want[key] = *g
			}
		}
	}
	s := summarize(records)
	if s.Len() != len(want) || fmt.Sprint(s.Total()) != fmt.Sprint(total) {
		t.Errorf("%d groups, in total %v; want %d and %v", s.Len(), s.Total(), len(want), total)
	}
	for _, g := range collectGroups(t, s, "-entries", 0) {
		key := fmt.Sprint([2]Value(g.Values))
		g.Values = nil
		if fmt.Sprint(g) != fmt.Sprint(want[key]) {
			t.Errorf("%s: %v, want %v", key, g, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("%d groups are missing", len(want))
	}
}

// TestSummaryOrder compares orders and limits with a sort of all groups.
func TestSummaryOrder(t *testing.T) {
	s := summarize(randomRecords(rand.New(rand.NewPCG(6, 3)), 1200))
	compare := map[string]func(a, b Group) int{
		"entries": func(a, b Group) int { return cmp.Compare(a.Entries, b.Entries) },
		"packets": func(a, b Group) int { return cmp.Compare(a.Packets, b.Packets) },
		"bytes":   func(a, b Group) int { return cmp.Compare(a.Bytes, b.Bytes) },
		"one":     func(a, b Group) int { return bytes.Compare(code(a.Values[0]), code(b.Values[0])) },
		"two":     func(a, b Group) int { return bytes.Compare(code(a.Values[1]), code(b.Values[1])) },
	}
	for _, list := range []string{
		"entries", "-entries", "packets:desc", "bytes:asc", "one", "-two",
		"two,-entries", "-packets,one:desc,-two", "-one,-two,-bytes",
	} {
		orders := ParseOrder(list)
		all := collectGroups(t, s, list, 0)
		if !slices.IsSortedFunc(all, func(a, b Group) int {
			for _, o := range orders {
				if c := compare[o.Name](a, b); c != 0 {
					if o.Descending {
						c = -c
					}
					return c
				}
			}
			return cmp.Or(compare["one"](a, b), compare["two"](a, b))
		}) {
			t.Errorf("--sort %s is not sorted", list)
		}
		for _, limit := range []int{1, 2, 7, 100, len(all) - 1, len(all), len(all) + 1} {
			first := collectGroups(t, s, list, limit)
			if fmt.Sprint(first) != fmt.Sprint(all[:min(limit, len(all))]) {
				t.Errorf("--sort %s --limit %d: not the first of all", list, limit)
			}
		}
	}
	if _, err := s.Sorted(ParseOrder("-three"), 0); err == nil || !strings.Contains(err.Error(), "`three'") {
		t.Errorf("a name that the summary does not have: %v", err)
	}
}

// code encodes a decoded value again.
func code(v Value) []byte {
	switch v.Kind {
	case Number:
		return AppendNumber(nil, v.Number)
	case Addr:
		return AppendAddr(nil, v.Addr)
	case Network:
		return AppendNetwork(nil, v.Addr, v.Bits)
	case Text:
		return AppendText(nil, v.Text)
	}
	return AppendAbsent(nil)
}

// TestSummaryMemory checks that an entry of an existing group takes no memory,
// and a group little.
func TestSummaryMemory(t *testing.T) {
	records := randomRecords(rand.New(rand.NewPCG(6, 4)), 5000)
	s := summarize(records)
	i := 0
	if n := testing.AllocsPerRun(2*len(records), func() {
		rec := &records[i%len(records)]
		s.Add(rec.code, rec.packets, rec.bytes, true)
		i++
	}); n != 0 {
		t.Errorf("%v allocations for an entry of an existing group", n)
	}
	const many = 1 << 18
	var code []byte
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s = NewSummary([]string{"one"})
	for i := range many {
		code = AppendNumber(code[:0], uint64(i))
		s.Add(code, 1, 1, true)
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / many; n > 96 {
		t.Errorf("%d bytes for a group", n)
	}
}

func BenchmarkSummary(b *testing.B) {
	for _, groups := range []int{100, 1 << 20} {
		b.Run(fmt.Sprint(groups), func(b *testing.B) {
			s := NewSummary([]string{"one"})
			var code []byte
			x := uint32(1)
			b.ReportAllocs()
			for b.Loop() {
				x = x*1664525 + 1013904223
				code = AppendNumber(code[:0], uint64(x>>4)%uint64(groups))
				s.Add(code, 1, 1, true)
			}
		})
	}
}

func BenchmarkSummarySorted(b *testing.B) {
	s := NewSummary([]string{"one"})
	for i := range 1 << 20 {
		s.Add(AppendNumber(nil, uint64(i)*7919%(1<<20)), uint64(i%7), 1, true)
	}
	for _, limit := range []int{0, 10} {
		b.Run(fmt.Sprint(limit), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Sorted(ParseOrder("-entries"), limit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestSummaryLongKeys checks that a key may be longer than a page.
func TestSummaryLongKeys(t *testing.T) {
	s := NewSummary([]string{"one"})
	text := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, pageBytes/3+i*pageBytes/2) }
	for range 2 {
		for i := range 5 {
			s.Add(AppendText(nil, text(i)), 1, 1, true)
		}
	}
	for i, g := range collectGroups(t, s, "one", 0) {
		if g.Entries != 2 || !bytes.Equal(g.Values[0].Text, text(i)) {
			t.Errorf("group %d: %d entries, a name of %d bytes", i, g.Entries, len(g.Values[0].Text))
		}
	}
	if s.Len() != 5 {
		t.Errorf("%d groups", s.Len())
	}
}
