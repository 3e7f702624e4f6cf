package ctnetlink

import (
	"errors"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestExactOldKernel: a table that has no zones of one direction, or none at all,
// is asked once, and then for the tuple alone.
func TestExactOldKernel(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer Errno // to the question
		exact  bool
		asked  int // how often, by two requests
	}{
		{"zones of one direction", EINVAL, true, 1},
		{"Linux before 4.3", ENOENT, false, 1},
		{"no zones", EOPNOTSUPP, false, 1},
		{"no permission", EPERM, false, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old := &zoneSocket{fake(), tt.answer, 0}
			c := NewConn(func() (Socket, error) { return old, nil })
			en := benchEntry(1)
			named := FlowSpec{Orig: en.Orig, Exact: true}
			for range 2 {
				if err := c.Delete(&named); !errors.Is(err, ENOENT) {
					t.Fatal(err)
				}
			}
			if old.asked != tt.asked {
				t.Errorf("asked %d times, want %d", old.asked, tt.asked)
			}
			var f Flow
			if err := f.Decode(old.sent[len(old.sent)-1]); err != nil {
				t.Fatal(err)
			}
			got, zone := *f.Orig(), Fields(0)
			if tt.exact {
				got, zone = *f.Reply(), FieldZone
			}
			if got.Only(^FieldZone) != en.Orig || got.Has&FieldZone != zone {
				t.Errorf("sent %+v, %+v", *f.Orig(), *f.Reply())
			}
		})
	}
}

// zoneSocket refuses the question for an entry in two zones, and has no entry.
type zoneSocket struct {
	*fakeSocket
	answer Errno
	asked  int
}

func (s *zoneSocket) Send(b []byte) error {
	m := wire.Messages{B: b}
	m.Next()
	answer := ENOENT
	var f Flow
	if err := f.Decode(m.Msg); err != nil {
		return err
	}
	if f.Has(AttrZone) {
		s.asked++
		answer = s.answer
	}
	s.datagrams = append(s.datagrams, from0(control(wire.TypeError, m.Msg.Seq(), int32(answer))))
	return s.fakeSocket.Send(b)
}
