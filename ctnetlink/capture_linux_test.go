//go:build capture

package ctnetlink

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// collect keeps one message of each kind that looks new by its attributes, so
// that the files stay small.
type collect struct {
	out  []byte
	seen map[string]int
}

func (c *collect) take(b []byte) {
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	m := wire.Messages{B: b}
	for m.Next() {
		key := []byte{byte(m.Msg.Type()), byte(m.Msg.Type() >> 8)}
		if m.Msg.Type() >= wire.TypeMin {
			a := wire.Attrs{B: m.Msg[wire.HeadLen:]}
			for a.Next() {
				key = append(key, byte(a.Type), byte(len(a.Val)))
			}
		} else {
			key = append(key, m.Msg[wire.HeadLen-4:wire.HeadLen]...)
		}
		if c.seen[string(key)]++; c.seen[string(key)] == 1 {
			msg := append([]byte(nil), m.Msg...)
			binary.NativeEndian.PutUint32(msg[8:], 1) // the sequence number that fake dumps have
			c.out = append(c.out, msg...)
		}
	}
}

// TestCapture writes the seeds of the fuzz targets: messages of the kernel, one
// after the other as in a datagram, host order:
//
//	go test -tags capture -run TestCapture ./ctnetlink
func TestCapture(t *testing.T) {
	c := namespace(t)
	nft(t, trafficRules)
	events := listenRaw(t, GroupNew, GroupUpdate, GroupDestroy, GroupExpectNew, GroupExpectUpdate, GroupExpectDestroy)
	talk(t, 8)
	populate(t, c, rand.New(rand.NewPCG(19, 20)), 0, 150)
	nat := benchEntry(1 << 22)
	nat.SrcNAT, nat.Set = NAT{MinAddr: netip.MustParseAddr("198.51.100.1")}, nat.Set.With(AttrNATSrc)
	create(t, c, nat)
	child := benchEntry(1<<22 + 1)
	child.Master, child.Set = nat.Orig, child.Set.With(AttrTupleMaster)
	create(t, c, child)
	if err := c.CreateExpect(expectation(helped(t, c, 1<<22+2), 4000)); err != nil {
		t.Fatal(err)
	}
	kinds := map[string][]header{
		"dump":   {{Type: wire.SubsysConntrack<<8 | wire.MsgGet, Flags: wire.FlagDump}},
		"expect": {{Type: wire.SubsysExpect<<8 | wire.MsgGet, Flags: wire.FlagDump}},
		"stats": {
			{Type: wire.SubsysConntrack<<8 | wire.MsgGetStatsCPU, Flags: wire.FlagDump},
			{Type: wire.SubsysConntrack<<8 | wire.MsgGetStats, Flags: wire.FlagAck},
			{Type: wire.SubsysExpect<<8 | wire.MsgExpGetStatsCPU, Flags: wire.FlagDump},
		},
		"errors": {
			{Type: wire.SubsysConntrack<<8 | 99, Flags: wire.FlagAck},
			{Type: wire.SubsysConntrack<<8 | wire.MsgNew, Flags: wire.FlagAck},
			{Type: wire.SubsysConntrack<<8 | wire.MsgGet},
		},
	}
	for name, requests := range kinds {
		var got collect
		for _, h := range requests {
			var e encoder
			h.Flags |= wire.FlagRequest
			h.Seq = 1
			e.begin(h)
			e.End()
			s, err := dialKernel(nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Send(e.B); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, readSize)
			for ended := false; !ended; {
				n, _, err := s.Receive(buf)
				if err != nil {
					t.Fatal(err)
				}
				got.take(buf[:n])
				m := wire.Messages{B: buf[:n]}
				for m.Next() {
					ended = ended || m.Msg.Type() == wire.TypeDone || m.Msg.Type() == wire.TypeError
				}
			}
			s.Close()
		}
		save(t, name, got.out)
	}
	if err := c.FlushExpect(); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(FamilyAny); err != nil {
		t.Fatal(err)
	}
	var got collect
	events(&got)
	save(t, "events", got.out)
}

// listenRaw joins groups at once and returns a function that collects what has
// come.
func listenRaw(t *testing.T, groups ...Group) func(*collect) {
	t.Helper()
	s, err := dialKernel(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetReadBuffer(8 << 20); err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if err := s.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	return func(c *collect) {
		time.AfterFunc(300*time.Millisecond, func() { s.Close() })
		buf := make([]byte, readSize)
		for {
			n, _, err := s.Receive(buf)
			if err != nil {
				return
			}
			c.take(buf[:n])
		}
	}
}

func save(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile("testdata/"+name+".nl", b, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", name, len(b))
}
