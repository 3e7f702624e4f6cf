package tablefile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// dumpRequest returns the datagram that c sends.
func dumpRequest(t testing.TB, c func(*ctnetlink.Conn)) []byte {
	t.Helper()
	var sent []byte
	c(ctnetlink.NewConn(func() (ctnetlink.Socket, error) { return recorder{&sent}, nil }))
	if sent == nil {
		t.Fatal("nothing was sent")
	}
	return sent
}

// recorder records what is sent, and fails.
type recorder struct{ sent *[]byte }

func (r recorder) Send(b []byte) error                    { *r.sent = append([]byte(nil), b...); return os.ErrClosed }
func (recorder) Receive([]byte) (int, uint32, error)      { return 0, 0, os.ErrClosed }
func (recorder) Poll([]byte) (int, uint32, error)         { return 0, 0, os.ErrClosed }
func (recorder) Join(ctnetlink.Group) error               { return nil }
func (recorder) SetReadBuffer(bytes int) (n int, e error) { return bytes, nil }
func (recorder) Lost() uint64                             { return 0 }
func (recorder) Queued() int                              { return 0 }
func (recorder) Close() error                             { return nil }

// TestSocketOddities: whatever is sent, and whatever the size of the buffer,
// there is an answer or an error.
func TestSocketOddities(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600))
	list := dumpRequest(t, func(c *ctnetlink.Conn) {
		for range c.Dump(&ctnetlink.DumpRequest{}) {
		}
	})
	f, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range list {
		s, _ := f.Dial()
		b := append([]byte(nil), list[:n]...)
		if n >= 4 {
			b[0], b[1] = byte(n), byte(n>>8) // a length that is right, little endian
		}
		_ = s.Send(b)
		_, _, _ = s.Poll(make([]byte, 100))
		s.Close()
	}
	s, _ := f.Dial()
	defer s.Close()
	if _, _, err := s.Poll(make([]byte, 100)); !errors.Is(err, ctnetlink.EAGAIN) {
		t.Errorf("before any request: %v", err)
	}
	for room := range 300 {
		if err := s.Send(list); err != nil {
			t.Fatal(err)
		}
		got := 0
		for got < 2 {
			n, _, err := s.Receive(make([]byte, room))
			if errors.Is(err, ctnetlink.ErrTruncated) {
				break
			}
			if err != nil || n == 0 || n > room {
				t.Fatalf("room for %d bytes: %d, %v", room, n, err)
			}
			got++
		}
		if got == 2 {
			if _, _, err := s.Poll(make([]byte, room)); !errors.Is(err, ctnetlink.EAGAIN) {
				t.Fatalf("behind the end: %v", err)
			}
		} else if room > 200 {
			t.Fatalf("nothing fits into %d bytes", room)
		}
	}
	s.Close()
	if err := s.Send(list); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if f.lock != nil {
		t.Error("a lock was taken")
	}
}

// TestListsAgree: a dump from the file and a dump from a table are the same,
// also of one family.
func TestListsAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	change(t, path, entry(1, 600), entry(2, 600))
	f, c := open(t, path)
	lists := func() (all [3]int) {
		for i, family := range []ctnetlink.Family{ctnetlink.FamilyAny, ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6} {
			for _, err := range c.Dump(&ctnetlink.DumpRequest{Family: family}) {
				if err != nil {
					t.Fatal(err)
				}
				all[i]++
			}
		}
		for _, err := range c.DumpExpect(ctnetlink.FamilyAny) {
			t.Fatal("an expectation", err)
		}
		return all
	}
	file := lists()
	if err := c.Update(entry(1, 600)); err != nil {
		t.Fatal(err)
	}
	if f.lock == nil {
		t.Fatal("no lock is held")
	}
	if table := lists(); file != table || file != [3]int{2, 2, 0} {
		t.Errorf("%v from the file, %v from the table", file, table)
	}
}
