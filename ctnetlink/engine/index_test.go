package engine

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TestEntryLen: entries begin at lines of the cache.
func TestEntryLen(t *testing.T) {
	if n := unsafe.Sizeof(entry{}); n != entryLen {
		t.Errorf("an entry has %d bytes, want %d: adapt its padding", n, entryLen)
	}
	if n := unsafe.Sizeof(bucket{}); n != 64 {
		t.Errorf("a bucket has %d bytes", n)
	}
	if n := unsafe.Offsetof(entry{}.proto) + unsafe.Offsetof(protoState{}.vtag); n > 3*64 {
		t.Errorf("the state of TCP ends at byte %d", n)
	}
}

// TestIndex: entries are found while the index grows and moves, and no longer
// once they were removed.
func TestIndex(t *testing.T) {
	tab := New(Options{Max: 1 << 20})
	tab.setClock(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(1, 2))
	const n = 20_000
	tupleOf := func(i int) (tp tuple) {
		tp = tuple{family: familyIPv4, proto: ctnetlink.ProtoUDP, sport: uint16(i), dport: uint16(i >> 16)}
		copy(tp.src[:], "\x0a\x00\x00\x02")
		copy(tp.dst[:], "\xc0\x00\x02\x02")
		return tp
	}
	there := map[int]*entry{}
	for step := range 4 * n {
		i := r.IntN(n)
		if e := there[i]; e != nil && step > n {
			tab.remove(e, 0, nil)
			delete(there, i)
		} else if e == nil {
			e = tab.slabs.alloc()
			e.zone, e.deadline = defaultZone, never
			e.tuples[original] = tupleOf(i)
			e.tuples[reply], _ = e.tuples[original].invert()
			tab.add(e)
			there[i] = e
		}
		for _, i := range []int{i, r.IntN(n)} {
			tp := tupleOf(i)
			want, d := tab.findIn(&tp, defaultZone, original)
			if want != there[i] || d != original {
				t.Fatalf("step %d: tuple %d: %p %d, want %p", step, i, want, d, there[i])
			}
			if tp, _ = tp.invert(); want != nil {
				if e, d := tab.findIn(&tp, defaultZone, original); e != want || d != reply {
					t.Fatalf("step %d: reply of tuple %d: %p %d, want %p", step, i, e, d, want)
				}
			}
		}
	}
	if tab.index.n != 2*len(there) {
		t.Errorf("%d tuples of %d entries", tab.index.n, len(there))
	}
	for i, e := range there {
		tab.remove(e, 0, nil)
		delete(there, i)
	}
	for _, list := range [][]bucket{tab.index.buckets, tab.index.old, tab.index.more} {
		for _, b := range list {
			if b.links != [bucketLen]link{} && !spareBucket(&tab.index, &b) {
				t.Fatal("a tuple is left in the empty index")
			}
		}
	}
}

// spareBucket reports whether a bucket is like a free one.
func spareBucket(x *index, b *bucket) bool {
	for _, i := range x.spare {
		if x.more[i] == *b {
			return true
		}
	}
	for i := range x.moved {
		if x.old[i] == *b {
			return true
		}
	}
	return false
}

// TestHugePages: memory of which huge pages were asked is like other memory.
func TestHugePages(t *testing.T) {
	chunk := make([][slabLen]entry, maxChunk)
	hugePages(chunk)
	for i := range chunk {
		for j := range chunk[i] {
			if chunk[i][j] != (entry{}) {
				t.Fatal("it is not empty")
			}
			chunk[i][j].id = uint32(i<<10 | j)
		}
	}
	for i := range chunk {
		if chunk[i][slabLen-1].id != uint32(i<<10|(slabLen-1)) {
			t.Fatal("it lost something")
		}
	}
}

// TestSum: the sum of the bytes in any number of pieces is that of RFC 1071.
func TestSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32() | r.Uint32()) // many bits
		}
		var slow uint64
		for i, v := range b {
			slow += uint64(v) << (8 - 8*(i&1))
		}
		for slow > 0xffff {
			slow = slow&0xffff + slow>>16
		}
		cut := 0
		if n > 0 {
			cut = r.IntN(n) &^ 1
		}
		if got := checksum(b[cut:], sum(b[:cut], 0)); got != ^uint16(slow) && slow != 0xffff {
			t.Errorf("%d bytes: %#x, want %#x", n, got, ^uint16(slow))
		}
	}
}
