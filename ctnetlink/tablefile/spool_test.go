package tablefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// follow opens a socket that receives all events of a file.
func follow(t testing.TB, path string) *socket {
	t.Helper()
	f, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for g := ctnetlink.GroupNew; g <= ctnetlink.GroupExpectDestroy; g++ {
		if err := s.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	return s.(*socket)
}

// drain receives what there is: it returns the number of messages, and how
// often events were reported as lost.
func drain(t testing.TB, s ctnetlink.Socket) (messages, losses int) {
	t.Helper()
	b := make([]byte, 16<<10)
	for range 1000 {
		n, _, err := s.Poll(b)
		switch {
		case errors.Is(err, ctnetlink.EAGAIN):
			return messages, losses
		case errors.Is(err, ctnetlink.ENOBUFS), errors.Is(err, ctnetlink.ErrTruncated):
			losses++
		case err != nil:
			t.Fatal(err)
		}
		messages += int(countMessages(b[:n]))
	}
	t.Fatal("there is no end of events")
	return 0, 0
}

// badRecord returns a record whose head has the given length of events, whatever
// the length of the events is.
func badRecord(serial uint64, length uint32, b []byte) []byte {
	r := record{before: serial, after: serial, events: b}
	out := r.append(nil)
	binary.NativeEndian.PutUint32(out, recordHeadLen+length)
	return out
}

// TestSpoolDamage: whatever a spool contains, commands that change the table
// succeed. The follower reports a loss, if there was one, and receives the events of
// later changes.
func TestSpoolDamage(t *testing.T) {
	message := make([]byte, 64<<10)
	binary.NativeEndian.PutUint32(message, uint32(len(message)))
	binary.NativeEndian.PutUint16(message[4:], typeEntry)
	appended := func(b []byte) func(*os.File, int64) error {
		return func(spool *os.File, size int64) error {
			_, err := spool.WriteAt(b, size)
			return err
		}
	}
	truncated := func(size int64) func(*os.File, int64) error {
		return func(spool *os.File, _ int64) error { return spool.Truncate(size) }
	}
	for name, damage := range map[string]func(*os.File, int64) error{
		"nothing":                     appended(nil),
		"empty":                       truncated(0),
		"truncated in the first word": truncated(4),
		"no records":                  truncated(int64(len(spoolMagic))),
		"truncated in a record":       truncated(int64(len(spoolMagic)) + 40),
		"huge":                        truncated(1 << 40),
		"zeros":                       appended(make([]byte, 4096)),
		"a few zeros":                 appended(make([]byte, 3)),
		"a long record":               appended(badRecord(0, 0xffffff00, nil)),
		"the head of a record":        appended(badRecord(0, 100, nil)),
		"a record of 3 bytes":         appended(badRecord(0, 3, make([]byte, 3))),
		"a record of 4 bytes":         appended(badRecord(0, 4, make([]byte, 4))),
		"a record of 6 bytes":         appended(badRecord(0, 6, make([]byte, 6))),
		"a record in front": func(spool *os.File, _ int64) error {
			_, err := spool.WriteAt(badRecord(0, 3, make([]byte, 3)), int64(len(spoolMagic)))
			return err
		},
		"another first word": func(spool *os.File, _ int64) error {
			_, err := spool.WriteAt([]byte("this is no spool"), 0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, unread := range []bool{false, true} {
				path := filepath.Join(t.TempDir(), "table")
				s := follow(t, path)
				change(t, path, entry(1, 600))
				want := 1
				if !unread {
					if n, losses := drain(t, s); n != 1 || losses > 0 {
						t.Fatalf("%d messages and %d losses before the damage", n, losses)
					}
					want = 0
				}
				spool, err := os.OpenFile(spools(t, path)[0], os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer spool.Close()
				info, err := spool.Stat()
				if err == nil {
					err = damage(spool, info.Size())
				}
				if err != nil {
					t.Fatal(err)
				}
				change(t, path, entry(2, 600))
				if n, losses := drain(t, s); n != want+1 && losses == 0 {
					t.Errorf("unread %t: %d messages and %d losses, want %d messages or a loss", unread, n, losses, want+1)
				}
				remove(t, path, entry(2, 600))
				if n, losses := drain(t, s); n != 1 || losses > 0 {
					t.Errorf("unread %t: %d messages and %d losses after it, want 1 message", unread, n, losses)
				}
			}
		})
	}
}

// TestFollowReplaced: a file that another program has replaced, in any way,
// means lost events; what is committed after that is received.
func TestFollowReplaced(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "table"), filepath.Join(dir, "other")
	change(t, other, entry(7, 1), entry(8, 600))
	b, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	change(t, path, entry(1, 600))
	e := listen(t, path)
	// While a program writes in place, the file is not a table file.
	for _, part := range [][]byte{b[:20], b[:len(b)-3]} {
		if err := os.WriteFile(path, part, 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * pollInterval)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := e.wait(t, 2); got[0] != "gap" || got[1] != "destroy 7" {
		t.Errorf("%v, want a gap, and the end of the entry that times out", got)
	}
	change(t, path, entry(2, 600))
	if got := e.wait(t, 1); got[0] != "new 2" {
		t.Errorf("%v after it", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := e.wait(t, 1); got[0] != "gap" {
		t.Errorf("%v when the file was removed", got)
	}
	change(t, path, entry(3, 600))
	if got := e.wait(t, 1); got[0] != "new 3" {
		t.Errorf("%v after that", got)
	}
}

// TestFollowNoDirectory: a file in a directory that does not exist cannot be
// followed, and the directory is not created.
func TestFollowNoDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	f, err := Open(filepath.Join(dir, "table"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := f.Dial()
	defer s.Close()
	if err := s.Join(ctnetlink.GroupNew); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is followed: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory: %v", err)
	}
}

// FuzzSpool: whatever a spool contains, the follower reads it to an end, and a
// record that a commit appends is received, or its loss is reported.
func FuzzSpool(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "table")
	change(f, path, entry(1, 100_000))
	file, _ := Open(path, Options{})
	if err := file.begin(); err != nil {
		f.Fatal(err)
	}
	var message []byte
	for m := range file.table.All() {
		message = bytes.Clone(m)
	}
	serial := file.state.serial
	file.release()
	table := func(serial uint64) []byte {
		var w snapshot.Writer
		b := w.AppendHeader(nil, snapshot.Header{Time: time.Now(), Serial: serial})
		b = w.Append(b, message)
		return w.AppendEnd(b)
	}
	first := &record{before: serial, after: serial + 1, events: message}
	second := &record{before: serial + 1, after: serial + 2, expiry: time.Now().Add(time.Hour), lost: 3}
	f.Add(uint16(0), []byte(nil), uint8(0))
	f.Add(uint16(8), second.append(first.append(nil)), uint8(1))
	f.Add(uint16(8), first.append(nil), uint8(2))
	f.Add(uint16(40), make([]byte, 100), uint8(3))
	for _, n := range []int{3, 4, 6, 16, 20} {
		f.Add(uint16(8), badRecord(serial, uint32(n), make([]byte, n)), uint8(1))
		f.Add(uint16(8), (&record{before: serial, after: serial + 1, events: message[:n]}).append(nil), uint8(1))
	}
	f.Fuzz(func(t *testing.T, at uint16, b []byte, steps uint8) {
		if err := os.WriteFile(path, table(serial), 0o600); err != nil {
			t.Fatal(err)
		}
		s := follow(t, path)
		defer s.Close()
		spool := s.follower.spool
		if steps&1 == 0 {
			drain(t, s)
		}
		if _, err := spool.WriteAt(b, int64(at)); err != nil {
			t.Fatal(err)
		}
		if steps&2 != 0 {
			if err := spool.Truncate(int64(at) + int64(len(b)/2)); err != nil {
				t.Fatal(err)
			}
		}
		if steps&4 != 0 {
			drain(t, s)
		}
		// A commit.
		now := serial + 1<<40
		j := &journal{spools: []string{spool.Name()}, events: bytes.Clone(message)}
		j.publish(serial, now, time.Time{})
		if err := os.WriteFile(path, table(now), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, losses := drain(t, s); n == 0 && losses == 0 {
			t.Fatal("the commit was not noticed")
		}
		// The next one is received whole: the damage is repaired.
		j.events = append(bytes.Clone(message), message...)
		j.publish(now, now+1, time.Time{})
		if err := os.WriteFile(path, table(now+1), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, losses := drain(t, s); n != 2 || losses != 0 {
			t.Fatalf("%d messages and %d losses after the damage", n, losses)
		}
	})
}
