package timo

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkDump lists 20 000 entries of the kernel with both libraries, into
// the same type.
func BenchmarkDump(b *testing.B) {
	ours, theirs := namespace(b)
	r := rand.New(rand.NewPCG(1, 1))
	n := 0
	for i := range 20000 {
		f := randomRequest(r, i)
		if f.TupleOrig.Proto.Protocol == 33 {
			continue // not in every kernel
		}
		if err := ours.Create(f); err != nil {
			b.Fatal(err)
		}
		n++
	}
	for _, c := range []struct {
		name string
		Client
	}{{"ctnetlink", ours}, {"ti-mo", theirs}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if flows, err := c.Dump(nil); err != nil || len(flows) != n {
					b.Fatalf("%d entries of %d, %v", len(flows), n, err)
				}
			}
		})
	}
}
