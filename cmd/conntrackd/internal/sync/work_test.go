package sync

import (
	"fmt"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// A peer that names all messages again and again, but for one, has few of its ACKs looked
// at. The next second one is taken.
func TestRangesAreBounded(t *testing.T) {
	s := newScript(t, nil)
	s.n.Tick()
	s.gets("1a680010 00000064 6b07fa83 6b07fa83")
	const count = 500
	first := s.n.seq + 1
	for i := range count {
		s.n.Event(wire.New, udpObject(t, i+1), false)
	}
	s.n.Tick()
	if got := s.n.conns.rs.Len; got != count {
		t.Fatalf("%d objects wait, want %d", got, count)
	}
	f := s.n.mode.(*ftfw)
	whole := 2*len(f.ring)/count + 10
	for i := range whole {
		s.gets(fmt.Sprintf("1a080010 %08x %08x %08x", 0x65+i, first+1, first+count-1))
	}
	if got := s.n.conns.rs.Len; got != 1 {
		t.Fatalf("%d objects wait after an ACK of all but one, want 1", got)
	}
	ack := func(i int) { s.gets(fmt.Sprintf("1a080010 %08x %08x %08x", 0x65+whole+i, first, first+count-1)) }
	if ack(0); s.n.conns.rs.Len != 1 {
		t.Error("so many ranges are looked at in no time")
	}
	s.now = s.now.Add(time.Second)
	if ack(1); s.n.conns.rs.Len != 0 {
		t.Error("an ACK is not taken a second later")
	}
}
