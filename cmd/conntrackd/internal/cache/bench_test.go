package cache

import (
	"fmt"
	"runtime"
	"testing"
)

// sizesOf are how many objects the caches of the benchmarks have.
var sizesOf = []int{10_000, 1_000_000}

func filled(b *testing.B, count int) *Cache {
	c := New(count + 1)
	for n := range uint32(count) {
		c.Add(object(n, 9))
	}
	if c.Stats.Total != uint64(count) {
		b.Fatal(c.Stats)
	}
	return c
}

func BenchmarkFind(b *testing.B) {
	for _, count := range sizesOf {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c := filled(b, count)
			o := object(0, 9)
			n := uint32(0)
			for b.Loop() {
				n = (n + 7919) % uint32(count)
				o[5], o[6], o[7] = byte(n>>24), byte(n>>16), byte(n>>8)
				o[32], o[33] = byte(n>>8), byte(n)
				find(c, o)
			}
		})
	}
}

// BenchmarkChange adds an object, changes it twice (it grows) and deletes it.
func BenchmarkChange(b *testing.B) {
	for _, count := range sizesOf {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c := filled(b, count)
			o, grown := object(1<<24-1, 9), object(1<<24-1, 11)
			q := Queue{ID: 1}
			b.ReportAllocs()
			for b.Loop() {
				s := c.Add(o)
				c.Push(&q, s)
				c.Set(s, grown)
				c.Set(s, grown)
				c.Delete(s)
			}
		})
	}
}

// BenchmarkEvents looks for an object twice and adds it, and again to delete it, as the
// events of an entry do.
func BenchmarkEvents(b *testing.B) {
	for _, count := range sizesOf {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c := filled(b, count)
			o := object(1<<24-1, 9)
			b.ReportAllocs()
			for b.Loop() {
				for range 2 {
					if find(c, o) != 0 {
						b.Fatal("it is there before it was added")
					}
				}
				c.Add(o)
				s := find(c, o)
				if s == 0 {
					b.Fatal("it is not there")
				}
				c.Delete(s)
			}
		})
	}
}

func BenchmarkWalk(b *testing.B) {
	c := filled(b, 1_000_000)
	for b.Loop() {
		sum := 0
		for from := Slot(1); from != 0; {
			from = c.Walk(from, 8192, func(s Slot) { sum += len(c.Object(s)) })
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/object")
}

// BenchmarkFill fills a cache with a million objects, and tells the memory of each.
func BenchmarkFill(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		c := filled(b, 1_000_000)
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "B/object-with-garbage")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "B/object")
		runtime.KeepAlive(c)
	}
}
