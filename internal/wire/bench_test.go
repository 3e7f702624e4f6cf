package wire

import "testing"

// benchMessage returns the attributes of an entry, about 200 bytes.
func benchMessage() []byte {
	var w Builder
	for i := range uint16(2) {
		t := w.Nest(1 + i)
		ip := w.Nest(1)
		w.U32(1, 1)
		w.U32(2, 2)
		w.Close(ip)
		p := w.Nest(2)
		w.U8(1, 6)
		w.U16(2, 80)
		w.U16(3, 81)
		w.Close(p)
		w.Close(t)
	}
	for _, a := range []uint16{3, 8, 12, 11, 7} {
		w.U32(a, 1)
	}
	for range 3 {
		n := w.Nest(9)
		w.U64(1, 1)
		w.U64(2, 1)
		w.Close(n)
	}
	return w.B
}

func BenchmarkFind(b *testing.B) {
	m := benchMessage()
	for b.Loop() {
		if _, ok := Find(m, 7); !ok {
			b.Fatal()
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	m := benchMessage()
	for b.Loop() {
		if _, ok := Check(m); !ok {
			b.Fatal()
		}
	}
}

func BenchmarkAttrs(b *testing.B) {
	m := benchMessage()
	for b.Loop() {
		n := 0
		a := Attrs{B: m}
		for a.Next() {
			n++
		}
		if n != 10 {
			b.Fatal(n)
		}
	}
}
