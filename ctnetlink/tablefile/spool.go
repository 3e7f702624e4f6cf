package tablefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// A spool begins with spoolMagic; its first byte is the one that the follower's
// lock covers, where locks are on bytes. Records follow, whose words are in the
// machine's byte order:
//
//	0   4  u32 length of the record, a multiple of 4
//	4   4  u32 how many events were left out
//	8   8  u64 serial of the table before the events
//	16  8  u64 serial of the table after them
//	24  8  i64 when the first entry times out then, nanoseconds since 1970; 0: none does
//	32  …  the events, netlink messages
const (
	spoolSuffix    = ".events-"
	spoolMagic     = "\x89CTNEVT\n"
	recordHeadLen  = 32
	defaultMaximum = 256 << 20
)

// maxSpool bounds a spool, and with it the events of one commit, in bytes.
var maxSpool int64 = defaultMaximum

// journal takes down what a run changes, for those who follow.
type journal struct {
	spools []string
	sock   ctnetlink.Socket // hears the table's events
	buf    []byte
	events []byte
	lost   uint32 // events that are missing there
	before uint64 // what sock had lost when that was last looked at
}

// openJournal looks for followers; the result is nil when there are none. What
// those left who are no more is removed. It is called under the lock.
func (f *File) openJournal() (*journal, error) {
	entries, err := os.ReadDir(filepath.Dir(f.path))
	if err != nil {
		return nil, err
	}
	var live []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filepath.Base(f.path)+spoolSuffix) {
			continue
		}
		spool := filepath.Join(filepath.Dir(f.path), e.Name())
		if !e.Type().IsRegular() {
			continue // no follower's
		}
		lock := flock.New(spool, flock.SetFlag(os.O_RDWR)) // never makes one
		dead, err := lock.TryLock()
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("follower's spool file: %w", err)
		case dead:
			// Unlocked first: not every system removes an open file.
			_ = lock.Unlock()
			_ = os.Remove(spool)
		default:
			live = append(live, spool)
		}
	}
	if live == nil {
		return nil, nil
	}
	return &journal{spools: live, buf: make([]byte, 64<<10)}, nil
}

// begin listens to a table.
func (j *journal) begin(t *engine.Table) (err error) {
	if j.sock, err = t.Dial(); err != nil {
		return err
	}
	if _, err := j.sock.SetReadBuffer(int(min(4*maxSpool, 1<<30))); err != nil {
		return err
	}
	for g := ctnetlink.GroupNew; g <= ctnetlink.GroupExpectDestroy; g++ {
		if err := j.sock.Join(g); err != nil {
			return err
		}
	}
	return nil
}

// note takes down the events so far. A nil journal has none.
func (j *journal) note() error {
	if j == nil {
		return nil
	}
	for {
		n, _, err := j.sock.Poll(j.buf)
		switch {
		case errors.Is(err, ctnetlink.EAGAIN):
			return nil
		case errors.Is(err, ctnetlink.ENOBUFS):
			lost := j.sock.Lost()
			j.lost += uint32(max(lost-j.before, 1))
			j.before = lost
		case err != nil:
			return err
		case int64(len(j.events)+n) > maxSpool:
			j.lost += countMessages(j.buf[:n])
		default:
			j.events = append(j.events, j.buf[:n]...)
			for len(j.events)%4 != 0 {
				j.events = append(j.events, 0)
			}
		}
	}
}

func (j *journal) empty() bool { return j == nil || len(j.events) == 0 && j.lost == 0 }

// publish appends the events to the spools and forgets them.
func (j *journal) publish(before, after uint64, ends time.Time) error {
	if j == nil {
		return nil
	}
	for _, spool := range j.spools {
		if err := j.publishTo(spool, before, after, ends); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot notify a follower: %w", err)
		}
	}
	j.events, j.lost = j.events[:0], 0
	return nil
}

func (j *journal) publishTo(spool string, before, after uint64, ends time.Time) error {
	file, err := openSpool(spool)
	if err != nil {
		return err
	}
	defer file.Close()
	end, err := endOfRecords(file)
	if err != nil {
		return err
	}
	events, lost := j.events, j.lost
	if end+int64(len(events)) > maxSpool {
		lost += countMessages(events)
		events = nil
	}
	at := int64(0)
	if !ends.IsZero() {
		at = ends.UnixNano()
	}
	b := make([]byte, 0, recordHeadLen+len(events))
	b = binary.NativeEndian.AppendUint32(b, uint32(recordHeadLen+len(events)))
	b = binary.NativeEndian.AppendUint32(b, lost)
	b = binary.NativeEndian.AppendUint64(b, before)
	b = binary.NativeEndian.AppendUint64(b, after)
	b = binary.NativeEndian.AppendUint64(b, uint64(at))
	_, err = file.WriteAt(append(b, events...), end)
	return err
}

// openSpool opens a spool to be written, and nothing else that has its name: who
// may write the directory could have laid a link there, to be written to with
// rights that he has not.
func openSpool(path string) (*os.File, error) {
	named, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	var magic [len(spoolMagic)]byte
	info, err := file.Stat()
	if err == nil {
		// Its first byte may be locked, and is not read then.
		_, err = file.ReadAt(magic[1:], 1)
	}
	if err != nil || !os.SameFile(named, info) || string(magic[1:]) != spoolMagic[1:] {
		file.Close()
		return nil, fmt.Errorf("%s is not a spool file", filepath.Base(path))
	}
	return file, nil
}

func (j *journal) close() {
	if j.sock != nil {
		j.sock.Close()
	}
}

// endOfRecords returns where the next record goes: behind the last whole one. A
// run that was killed may have left a piece of another.
func endOfRecords(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	end := int64(len(spoolMagic))
	var head [recordHeadLen]byte
	for {
		n, err := file.ReadAt(head[:], end)
		if n < len(head) {
			if errors.Is(err, io.EOF) {
				return end, file.Truncate(end)
			}
			return 0, err
		}
		next := end + int64(binary.NativeEndian.Uint32(head[:]))
		if next > info.Size() || next < end+recordHeadLen {
			return end, file.Truncate(end)
		}
		end = next
	}
}
