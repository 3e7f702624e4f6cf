package ctnetlink

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// tappedSocket shows the test each datagram of a dump before the kernel is
// asked for the next.
type tappedSocket struct {
	Socket
	tap func(b []byte)
}

func (s *tappedSocket) Receive(b []byte) (int, uint32, error) {
	n, from, err := s.Socket.Receive(b)
	if err == nil {
		s.tap(b[:n])
	}
	return n, from, err
}

// provoker deletes the entries at which a dump pauses. When a datagram is
// received the kernel has already built the one behind it and stands at the
// entry after that. As all entries are of one size, that one is known from the
// order in which an undisturbed dump listed them.
type provoker struct {
	requests *Conn
	active   bool
	order    []entryKey
	at       map[entryKey]int
	copies   map[entryKey]*Flow
	fits     int // entries in a full datagram
	deleted  map[entryKey]bool
	sent     map[entryKey]int
	pauses   int
	repeated int
}

// entryKey tells entries apart. An id alone does not: of 20 000 entries two
// have the same one in every twentieth table.
type entryKey struct {
	id  uint32
	src netip.Addr
}

func keyOf(f *Flow) entryKey {
	id, _ := f.ID()
	return entryKey{id, f.Orig().Src}
}

func (p *provoker) tap(b []byte) {
	var f Flow
	var last entryKey
	n := 0
	m := wire.Messages{B: b}
	for ; m.Next() && m.Msg.Type() == wire.SubsysConntrack<<8; n++ {
		if f.Decode(m.Msg) == nil {
			last = keyOf(&f)
			if p.sent[last]++; p.sent[last] == 2 {
				p.repeated++
			}
		}
	}
	if !p.active {
		p.fits = max(p.fits, n)
		return
	}
	i := p.at[last]
	for left := p.fits; left >= 0; {
		if i++; i >= len(p.order) {
			return
		}
		if !p.deleted[p.order[i]] {
			left--
		}
	}
	var en FlowSpec
	en.Identify(p.copies[p.order[i]])
	if p.requests.Delete(&en) == nil {
		p.deleted[p.order[i]] = true
		p.pauses++
	}
}

// TestDumpProvokedRepeats: when the entry at which a dump paused is deleted
// before the dump goes on, the kernel sends the earlier entries of its hash
// bucket again. Dump lists none of them twice, and misses none that stayed.
func TestDumpProvokedRepeats(t *testing.T) {
	const entries = 20_000
	p := &provoker{requests: namespace(t), at: map[entryKey]int{}, copies: map[entryKey]*Flow{}, deleted: map[entryKey]bool{}, sent: map[entryKey]int{}}
	fill(t, entries)
	// Opens the request socket in this thread's namespace, not the receiver's.
	if n, _, err := p.requests.Count(); err != nil || n != entries {
		t.Fatalf("%d entries, %v", n, err)
	}
	dumps := NewConn(func() (Socket, error) {
		s, err := dialKernel()
		return &tappedSocket{s, p.tap}, err
	})
	list := func(each func(f *Flow, id entryKey)) {
		t.Helper()
		clear(p.sent)
		for f, err := range dumps.Dump(&DumpRequest{}) {
			if err != nil {
				t.Fatal(err)
			}
			each(f, keyOf(f))
		}
	}
	rounds := 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end) && (rounds < 2 || p.repeated < 10); rounds++ {
		p.active = false
		p.order = p.order[:0]
		clear(p.copies)
		list(func(f *Flow, id entryKey) {
			p.at[id] = len(p.order)
			p.order = append(p.order, id)
			p.copies[id] = f.Clone()
		})
		p.active = true
		clear(p.deleted)
		listed := map[entryKey]int{}
		list(func(_ *Flow, id entryKey) { listed[id]++ })
		for _, id := range p.order {
			if n := listed[id]; n > 1 {
				t.Errorf("entry %v was listed %d times", id, n)
			} else if n == 0 && !p.deleted[id] {
				t.Errorf("entry %v stayed and was not listed", id)
			}
		}
		for id := range p.deleted { // make them again, for the next round
			src := p.copies[id].Orig().Src.As4()
			create(t, p.requests, benchEntry(int(src[1])<<16|int(src[2])<<8|int(src[3])))
		}
	}
	t.Logf("%d dumps, %d pauses whose entry was deleted, %d entries sent twice by the kernel", rounds, p.pauses, p.repeated)
	if p.pauses == 0 {
		t.Error("nothing was provoked")
	}
}
