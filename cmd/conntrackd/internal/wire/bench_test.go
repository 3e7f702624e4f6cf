package wire

import (
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// message is the first vector's: TCP with a translated source.
func message(t testing.TB) []byte { return unhex(t, vectors[0].message) }

// TestNoAllocations has what is done for each entry take no memory of its own.
func TestNoAllocations(t *testing.T) {
	f := flowOf(t, fullFlow())
	whole, err := AppendFlow(nil, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := Header{Type: Update}
	buf := make([]byte, 0, MaxObject+HeaderLen)
	var s ctnetlink.FlowSpec
	for name, do := range map[string]func(){
		"AppendFlow":     func() { _, err = AppendFlow(buf, f, nil) },
		"AppendFlow on":  func() { _, err = AppendFlow(buf, f, whole) },
		"Merge":          func() { _, err = Merge(buf, Update, nil, whole) },
		"Merge on":       func() { _, err = Merge(buf, Update, whole, whole.Classic()) },
		"Spec":           func() { err = whole.Spec(&s) },
		"Key":            func() { _ = whole.Key() },
		"Header and all": func() { _, _, _, err = Next(h.Append(buf, whole.Classic())) },
	} {
		if n := testing.AllocsPerRun(100, do); n != 0 || err != nil {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
}

func BenchmarkAppendFlow(b *testing.B) {
	f := flowOf(b, vectors[0].spec())
	before, _ := AppendFlow(nil, f, nil)
	for _, c := range []struct {
		name   string
		before Object
	}{{"new", nil}, {"known", before}} {
		b.Run(c.name, func(b *testing.B) {
			var o Object
			b.ReportAllocs()
			for b.Loop() {
				o, _ = AppendFlow(o[:0], f, c.before)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
		})
	}
}

func BenchmarkMerge(b *testing.B) {
	_, payload, _, _ := Next(message(b))
	for _, c := range []struct {
		name   string
		before Object
	}{{"new", nil}, {"known", payload}} {
		b.Run(c.name, func(b *testing.B) {
			var o Object
			b.ReportAllocs()
			for b.Loop() {
				o, _ = Merge(o[:0], Update, c.before, payload)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
		})
	}
}

func BenchmarkKey(b *testing.B) {
	_, payload, _, _ := Next(message(b))
	var k Key
	b.ReportAllocs()
	for b.Loop() {
		k = Object(payload).Key()
	}
	if k.Proto == 0 {
		b.Fatal("no key")
	}
}

func BenchmarkMessage(b *testing.B) {
	h, payload, _, _ := Next(message(b))
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = h.Append(buf[:0], Object(payload).Classic())
		if _, _, _, err := Next(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSpec(b *testing.B) {
	_, payload, _, _ := Next(message(b))
	var s ctnetlink.FlowSpec
	b.ReportAllocs()
	for b.Loop() {
		if err := Object(payload).Spec(&s); err != nil {
			b.Fatal(err)
		}
	}
}
