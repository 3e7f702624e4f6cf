package stats

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// TestSorted compares orders and limits with a stable sort of all records.
func TestSorted(t *testing.T) {
	records := randomRecords(rand.New(rand.NewPCG(6, 5)), 2000)
	number := func(i int) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, i%300)...)
	}
	for _, list := range []string{"one,two", "-one,two", "one,-two", "-one,-two"} {
		order := ParseOrder(list)
		var want []int
		for i := range records {
			want = append(want, i)
		}
		slices.SortStableFunc(want, func(a, b int) int {
			for k, o := range order {
				if c := bytes.Compare(code(records[a].values[k]), code(records[b].values[k])); c != 0 {
					if o.Descending {
						c = -c
					}
					return c
				}
			}
			return 0
		})
		for _, limit := range []int{0, 1, 10, 1999, 2000, 9000} {
			s := NewSorted(order, limit)
			for i, rec := range records {
				s.Add(rec.code, number(i))
			}
			n := len(want)
			if limit > 0 {
				n = min(limit, n)
			}
			var got [][]byte
			for record := range s.All() {
				got = append(got, record)
			}
			if len(got) != n {
				t.Fatalf("--sort %s --limit %d: %d records, want %d", list, limit, len(got), n)
			}
			for i := range got {
				if !bytes.Equal(got[i], number(want[i])) {
					t.Fatalf("--sort %s --limit %d: record %d is another", list, limit, i)
				}
			}
		}
	}
}

// TestSortedMemory checks that the first ten of many take the memory of ten.
func TestSortedMemory(t *testing.T) {
	records := randomRecords(rand.New(rand.NewPCG(6, 6)), 1000)
	s := NewSorted(ParseOrder("-one,two"), 10)
	message := make([]byte, 300)
	grown := func(times int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			for _, rec := range records {
				s.Add(rec.code, message)
			}
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	grown(2) // the buffers are as large as they get
	if n := grown(100); n > 256<<10 {
		t.Errorf("100 000 records more allocated %d bytes", n)
	}
}

func TestParseOrder(t *testing.T) {
	want := []Order{{"src", false}, {"bytes", true}, {"packets", true}, {"id", false}, {"", false}}
	if got := ParseOrder("src,-bytes,packets:desc,id:asc,"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
