package live

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// refusing is a table that refuses some requests.
type refusing struct {
	ctnetlink.Socket
	send, join error
}

func (s *refusing) Send(b []byte) error {
	if s.send != nil {
		return s.send
	}
	return s.Socket.Send(b)
}

func (s *refusing) Join(g ctnetlink.Group) error {
	if s.join != nil {
		return s.join
	}
	return s.Socket.Join(g)
}

func refuse(kernel *engine.Table, send, join error) *ctnetlink.Conn {
	return ctnetlink.NewConn(func() (ctnetlink.Socket, error) {
		s, err := kernel.Dial()
		return &refusing{s, send, join}, err
	})
}

// TestRunRefused: a table that cannot be read ends Run with the error of the dump; one
// of several is passed over.
func TestRunRefused(t *testing.T) {
	kernel := engine.New(engine.Options{})
	none := Source{Conn: refuse(kernel, ctnetlink.EPERM, ctnetlink.EPERM), Sysctl: settingsOf(defaults)}
	err := New([]Source{none}, Options{}).Run(t.Context())
	var op *ctnetlink.OpError
	if !errors.Is(err, ctnetlink.EPERM) || !errors.As(err, &op) || op.Op != "dump" {
		t.Errorf("Run: %v", err)
	}
	none.Name = "green\x1b[2J"
	other := none
	other.Name = "red"
	err = New([]Source{none, other}, Options{}).Run(t.Context())
	var source *SourceError
	if !errors.As(err, &source) || source.Source != 0 || !errors.Is(err, ctnetlink.EPERM) {
		t.Errorf("Run: %v", err)
	}
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, 10)
	good := Source{Name: "good", Conn: conn.Beside(), Sysctl: settingsOf(defaults)}
	table, _ := run(t, Options{Interval: time.Hour}, none, good)
	s := wait(t, table, "the first dump", entries(10))
	if !errors.As(s.Failed, &source) || source.Name != none.Name || !errors.Is(s.Failed, ctnetlink.EPERM) {
		t.Errorf("failed: %v", s.Failed)
	}
	const text = "network namespace `green\\x1b[2J': Operation not permitted"
	if got := s.Failed.Error(); got != text {
		t.Errorf("failed: %q", got)
	}
	if s.EventsOff != text {
		t.Errorf("events off: %q", s.EventsOff)
	}
	makeEntries(t, conn, 10, 20)
	wait(t, table, "births in the other", entries(20))
}

// TestRunNoRightToEvents: without events dumps go on.
func TestRunNoRightToEvents(t *testing.T) {
	kernel := engine.New(engine.Options{})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	table, _ := run(t, Options{Interval: minInterval}, Source{Conn: refuse(kernel, nil, ctnetlink.EPERM)})
	s := wait(t, table, "the first dump", complete)
	if s.EventsOff != "Operation not permitted" {
		t.Errorf("events off: %q", s.EventsOff)
	}
	makeEntries(t, conn, 0, 10)
	wait(t, table, "births", entries(10))
}

// TestRunRecovers: a table that cannot be read for a while is told, and read again.
func TestRunRecovers(t *testing.T) {
	kernel := engine.New(engine.Options{})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, 10)
	var down atomic.Bool
	flaky := ctnetlink.NewConn(func() (ctnetlink.Socket, error) {
		if down.Load() {
			return nil, ctnetlink.ENOMEM
		}
		return kernel.Dial()
	})
	table, _ := run(t, Options{Interval: minInterval}, Source{Conn: flaky})
	wait(t, table, "the first dump", entries(10))
	down.Store(true)
	s := wait(t, table, "a failure", func(s *Status) bool { return s.Failed != nil })
	if s.Entries != 10 || s.Reading {
		t.Errorf("after a failure: %+v", s)
	}
	down.Store(false)
	wait(t, table, "success", func(s *Status) bool { return s.Failed == nil })
}
