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

// A spool starts with spoolMagic. The follower locks the spool; where a lock
// covers bytes it covers the first byte. Records follow, with words in the
// machine's byte order:
//
//	0   4  u32 length of the record, a multiple of 4
//	4   4  u32 number of events that were left out
//	8   8  u64 serial of the table before the events
//	16  8  u64 serial of the table after them
//	24  8  i64 when the first entry will time out, nanoseconds since 1970; 0: none
//	32  …  the events, netlink messages
const (
	spoolSuffix    = ".events-"
	spoolMagic     = "\x89CTNEVT\n"
	recordHeadLen  = 32
	defaultMaximum = 256 << 20
)

// maxSpool is the maximum size of a spool, and of the events of one commit, in
// bytes.
var maxSpool int64 = defaultMaximum

// record is a record of a spool.
type record struct {
	lost          uint32
	before, after uint64
	expiry        time.Time // zero: none
	events        []byte
}

func (r *record) append(b []byte) []byte {
	expiry := int64(0)
	if !r.expiry.IsZero() {
		expiry = r.expiry.UnixNano()
	}
	b = binary.NativeEndian.AppendUint32(b, uint32(recordHeadLen+len(r.events)))
	b = binary.NativeEndian.AppendUint32(b, r.lost)
	b = binary.NativeEndian.AppendUint64(b, r.before)
	b = binary.NativeEndian.AppendUint64(b, r.after)
	b = binary.NativeEndian.AppendUint64(b, uint64(expiry))
	return append(b, r.events...)
}

// parseRecords returns the complete records at the start of b.
func parseRecords(b []byte) (records []record) {
	for len(b) >= recordHeadLen {
		n := binary.NativeEndian.Uint32(b)
		if n < recordHeadLen || uint64(n) > uint64(len(b)) {
			break
		}
		r := record{
			lost:   binary.NativeEndian.Uint32(b[4:]),
			before: binary.NativeEndian.Uint64(b[8:]),
			after:  binary.NativeEndian.Uint64(b[16:]),
			events: b[recordHeadLen:n],
		}
		if expiry := int64(binary.NativeEndian.Uint64(b[24:])); expiry != 0 {
			r.expiry = time.Unix(0, expiry)
		}
		records = append(records, r)
		b = b[n:]
	}
	return records
}

// journal records the events of a process's changes, for the followers.
type journal struct {
	spools []string
	sock   ctnetlink.Socket // receives the table's events
	buf    []byte
	events []byte
	lost   uint32 // number of events that are missing there
	before uint64 // sock.Lost at the last look
}

// openJournal looks for followers; it returns nil if there are none. Spools of
// followers that no longer run are removed. The lock must be held.
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
			continue // not a spool
		}
		lock := flock.New(spool, flock.SetFlag(os.O_RDWR)) // does not create the file
		dead, err := lock.TryLock()
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("follower's spool file: %w", err)
		case dead:
			// Unlock it first: not every system removes an open file.
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

// listen starts to receive a table's events.
func (j *journal) listen(t *engine.Table) (err error) {
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

// collect records the events that have arrived. A nil journal records nothing.
func (j *journal) collect() error {
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

// publish appends the events to the spools and clears them.
func (j *journal) publish(before, after uint64, expiry time.Time) error {
	if j == nil {
		return nil
	}
	for _, spool := range j.spools {
		if err := j.publishTo(spool, before, after, expiry); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot notify a follower: %w", err)
		}
	}
	j.events, j.lost = j.events[:0], 0
	return nil
}

func (j *journal) publishTo(spool string, before, after uint64, expiry time.Time) error {
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
	r := record{lost, before, after, expiry, events}
	_, err = file.WriteAt(r.append(nil), end)
	return err
}

// openSpool opens a spool for writing, and nothing else of its name: a user who
// may write in the directory could have made a link to a file that only this
// process may write.
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
		// The first byte may be locked; it is not read.
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

// endOfRecords returns the offset for the next record, after the last complete
// one. An incomplete one, which a killed process may have left, is cut off.
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
