package ctnetlink

import (
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestBesideNoting: what is asked through the handle causes events with the noted port
// id, in single requests and in batches; what is asked beside it does not.
func TestBesideNoting(t *testing.T) {
	c := namespace(t)
	noted := map[uint32]bool{}
	own := c.BesideNoting(func(id uint32) { noted[id] = true })
	defer own.Close()
	l, err := c.Listen(ListenRequest{Groups: []Group{GroupNew}})
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, benchEntry(0))
	create(t, own, benchEntry(1))
	b := own.NewBatch()
	defer b.Close()
	b.Create(benchEntry(2))
	if results, err := b.Do(); err != nil || results[0].Err != nil {
		t.Fatal(results, err)
	}
	l.Stop()
	if len(noted) != 2 || noted[0] {
		t.Errorf("noted %v", noted)
	}
	var e Events
	got := map[Tuple]bool{}
	for batch, err := l.Next(); err == nil; batch, err = l.Next() {
		for e.Reset(batch); e.Next(); {
			got[*e.Flow().Orig()] = noted[e.Flow().PortID()]
		}
	}
	for i, want := range []bool{false, true, true} {
		if ours, ok := got[benchEntry(i).Orig]; !ok || ours != want {
			t.Errorf("entry %d: announced %v, ours %v", i, ok, ours)
		}
	}
}

// TestListenProgram: events that a program refuses do not arrive, nor do those that its
// successor refuses.
func TestListenProgram(t *testing.T) {
	c := namespace(t)
	typ := uint32(4) // the low byte of nlmsg_type
	if binary.BigEndian.Uint16([]byte{0, 1}) == binary.NativeEndian.Uint16([]byte{0, 1}) {
		typ = 5
	}
	l, err := c.Listen(ListenRequest{
		Groups: []Group{GroupNew, GroupDestroy}, Reliable: true,
		Program: []bpf.Instruction{
			bpf.LoadAbsolute{Off: typ, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: wire.MsgNew, SkipTrue: 1},
			bpf.RetConstant{Val: bpfAccept},
			bpf.RetConstant{Val: bpfReject},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, benchEntry(0))
	if err := c.Delete(benchEntry(0)); err != nil {
		t.Fatal(err)
	}
	if err := l.FilterProgram([]bpf.Instruction{bpf.RetConstant{Val: bpfReject}}); err != nil {
		t.Fatal(err)
	}
	create(t, c, benchEntry(1))
	if err := c.Delete(benchEntry(1)); err != nil {
		t.Fatal(err)
	}
	l.Stop()
	var e Events
	var got []EventType
	for batch, err := l.Next(); err == nil; batch, err = l.Next() {
		for e.Reset(batch); e.Next(); {
			got = append(got, e.Flow().EventType())
		}
	}
	if len(got) != 1 || got[0] != EventDestroy {
		t.Errorf("events %v, want one DESTROY", got)
	}
}

// TestListenLeave: what happens while a listener is out of a group is not announced to it.
func TestListenLeave(t *testing.T) {
	c := namespace(t)
	l, err := c.Listen(ListenRequest{Groups: []Group{GroupNew}})
	if err != nil {
		t.Fatal(err)
	}
	for i, change := range []func(Group) error{nil, l.Leave, l.Join} {
		if change != nil {
			if err := change(GroupNew); err != nil {
				t.Fatal(err)
			}
		}
		create(t, c, benchEntry(i))
	}
	l.Stop()
	var e Events
	var got []Tuple
	for batch, err := l.Next(); err == nil; batch, err = l.Next() {
		for e.Reset(batch); e.Next(); {
			got = append(got, *e.Flow().Orig())
		}
	}
	if len(got) != 2 || got[0] != benchEntry(0).Orig || got[1] != benchEntry(2).Orig {
		t.Errorf("events of %v", got)
	}
	if err := l.Leave(GroupNew); err == nil {
		t.Error("a closed listener left a group")
	}
}

// TestListenDelay: with a delay everything arrives in its order, the last event of a burst
// as well as one after a silence, and Stop ends it.
func TestListenDelay(t *testing.T) {
	c := namespace(t)
	l, err := c.Listen(ListenRequest{Groups: []Group{GroupNew}, Delay: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	var e Events
	next := 0
	for _, burst := range []int{1, 1, 3000, 1, 20} {
		b := c.NewBatch()
		for i := range burst {
			b.Create(benchEntry(next + i))
		}
		if _, err := b.Do(); err != nil {
			t.Fatal(err)
		}
		b.Close()
		for end := next + burst; next < end; {
			batch, err := l.Next() // waits until they are there
			if err != nil || batch.Gap {
				t.Fatalf("gap %v, %v", batch.Gap, err)
			}
			for e.Reset(batch); e.Next(); next++ {
				if *e.Flow().Orig() != benchEntry(next).Orig {
					t.Fatalf("event of %v, want %v", e.Flow().Orig(), benchEntry(next).Orig)
				}
			}
		}
	}
	l.Stop()
	if batch, err := l.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after Stop: %d bytes, %v", len(batch.Messages), err)
	}
}

// TestIdle: a listener is not idle while the socket holds an event, which after a loss
// means that more are lost, though Next would wait.
func TestIdle(t *testing.T) {
	c := namespace(t)
	l, err := c.Listen(ListenRequest{Groups: []Group{GroupNew}, Delay: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer l.sock.Close() // Stop would wait for the event
	if !l.Idle() {
		t.Error("not idle before the first event")
	}
	// Soon the receiver pauses, and events stay in the socket.
	made := 0
	if !testwait.For(10*time.Second, func() bool {
		if err := c.Create(benchEntry(made)); err != nil {
			t.Fatal(err)
		}
		made++
		if l.Ready() {
			_, _ = l.Next()
		}
		return !l.Ready() && !l.Idle()
	}) {
		t.Errorf("idle although the socket holds %d bytes", l.Queued())
	}
}
