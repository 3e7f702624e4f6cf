package ctnetlink

import "testing"

// BenchmarkDecode is the cost of one entry of a dump: Decode, and what a
// listing asks of it.
func BenchmarkDecode(b *testing.B) {
	msg := benchEntry(7).AppendMessage(nil)
	b.Run("decode", func(b *testing.B) {
		var f Flow
		b.ReportAllocs()
		for b.Loop() {
			if err := f.Decode(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("accessors", func(b *testing.B) {
		var f Flow
		if err := f.Decode(msg); err != nil {
			b.Fatal(err)
		}
		var sum uint64
		b.ReportAllocs()
		for b.Loop() {
			status, _ := f.Status()
			mark, _ := f.Mark()
			timeout, _ := f.Timeout()
			state, _ := f.State()
			packets, bytes, _ := f.CountersOrig()
			sum += uint64(status) + uint64(mark) + uint64(timeout) + uint64(state) + packets + bytes + uint64(f.Orig().SrcPort)
		}
		if sum == 0 {
			b.Fatal("nothing decoded")
		}
	})
}

// TestDecodeAllocates nothing: it runs once for every entry of a table.
func TestDecodeAllocates(t *testing.T) {
	msg := benchEntry(7).AppendMessage(nil)
	var f Flow
	var seen dedup
	allocs := testing.AllocsPerRun(1000, func() {
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		seen.repeated(&f)
		f.ProtoInfo()
		f.State()
		f.CountersOrig()
		f.Helper()
	})
	if allocs != 0 {
		t.Errorf("%v allocations for one entry", allocs)
	}
}
