package live

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestWalkBesideFeed: a walk shows every entry that is there all the time once, while
// others come and go and pages are freed.
func TestWalkBesideFeed(t *testing.T) {
	const stable, others = 3 * pageLen, 4 * pageLen
	s := newStory(t, Options{})
	l := newListing(listingOf{})
	l.dump(s.Table, stable)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			defer cancel()
			var message []byte
			var f ctnetlink.Flow
			for range testwait.Size(8, 3) {
				var seen [stable]int
				err := s.walk(context.Background(), func(e *entry) bool {
					if message = e.appendMessage(message[:0]); f.Decode(message) != nil {
						t.Error("a message that cannot be decoded")
						return false
					}
					if _, ok := s.find(e.ref()); !ok {
						t.Error("not found by its name")
						return false
					}
					src := f.Orig().Src.As4()
					if i := int(binary.BigEndian.Uint32(src[:]) & 0xffffff); i < stable {
						seen[i]++
					}
					return true
				})
				if err != nil {
					t.Error(err)
				}
				for i, n := range seen {
					if n != 1 {
						t.Errorf("entry %d is shown %d times", i, n)
						return
					}
				}
			}
		})
	}
	tell := func(i int, typ, flags uint16) {
		m := wire.Message(l.message)
		binary.NativeEndian.PutUint16(m[4:], typ)
		m.SetFlags(flags)
		s.apply(0, l.entry(i), s.now.Time)
	}
	for ctx.Err() == nil {
		for i := 0; i < others; i += 256 {
			s.mu.Lock()
			for k := range 256 {
				tell(stable+i+k, wire.SubsysConntrack<<8|wire.MsgNew, wire.FlagCreate)
			}
			s.mu.Unlock()
		}
		for i := 0; i < others; i += 256 {
			s.mu.Lock()
			for k := range 256 {
				tell(stable+i+k, wire.SubsysConntrack<<8|wire.MsgDelete, 0)
			}
			s.mu.Unlock()
		}
	}
	readers.Wait()
	if n := s.len(); n != stable {
		t.Errorf("%d entries", n)
	}
}

// TestWalkEnds: a walk ends with its context, and when it is told to.
func TestWalkEnds(t *testing.T) {
	s := newStory(t, Options{})
	newListing(listingOf{}).dump(s.Table, 3*pageLen)
	n := 0
	if err := s.walk(t.Context(), func(*entry) bool { n++; return n < 2500 }); err != nil || n != 2500 {
		t.Errorf("%d entries, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	err := s.walk(ctx, func(*entry) bool { n++; cancel(); return true })
	if !errors.Is(err, context.Canceled) || n != pageLen {
		t.Errorf("%d entries, %v", n, err)
	}
}
