package tablefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
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

// errDamaged is the error of a spool that holds something else than records.
var errDamaged = errors.New("the spool is damaged")

// readRecord reads the head of the record at an offset of a spool that has a
// size. It returns the record without its events, and its length in bytes; a
// length of 0 if there is no complete record.
func readRecord(spool io.ReaderAt, at, size int64) (r record, length int64, err error) {
	if size-at < recordHeadLen {
		return r, 0, nil
	}
	var b [recordHeadLen]byte
	if _, err := spool.ReadAt(b[:], at); err != nil {
		return r, 0, err
	}
	length = int64(binary.NativeEndian.Uint32(b[:]))
	if length < recordHeadLen || length%4 != 0 || length > recordHeadLen+maxSpool {
		return r, 0, errDamaged
	}
	if length > size-at {
		return r, 0, nil
	}
	r.lost = binary.NativeEndian.Uint32(b[4:])
	r.before = binary.NativeEndian.Uint64(b[8:])
	r.after = binary.NativeEndian.Uint64(b[16:])
	if expiry := int64(binary.NativeEndian.Uint64(b[24:])); expiry != 0 {
		r.expiry = time.Unix(0, expiry)
	}
	return r, length, nil
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
// followers that no longer run are removed. A file that is not a spool, or
// cannot be used, is left alone. The lock must be held.
func (f *File) openJournal() (*journal, error) {
	entries, err := os.ReadDir(filepath.Dir(f.path))
	if err != nil {
		return nil, err
	}
	var live []string
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), filepath.Base(f.path)+spoolSuffix) {
			continue
		}
		name := filepath.Join(filepath.Dir(f.path), e.Name())
		spool, err := openSpool(name)
		if err != nil {
			continue
		}
		spool.Close()
		lock := flock.New(name, flock.SetFlag(os.O_RDWR)) // does not create the file
		dead, err := lock.TryLock()
		switch {
		case err != nil:
		case dead:
			// Unlock it first: not every system removes an open file.
			_ = lock.Unlock()
			_ = os.Remove(name)
		default:
			live = append(live, name)
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

// publish appends the events to the spools and clears them. A spool that cannot
// be written does not stop the change: its follower sees that the table has
// changed without a record, and reports lost events.
func (j *journal) publish(before, after uint64, expiry time.Time) {
	if j == nil {
		return
	}
	for _, spool := range j.spools {
		_ = j.publishTo(spool, before, after, expiry)
	}
	j.events, j.lost = j.events[:0], 0
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
	_, err = file.WriteAt(r.append(nil), end) // what is incomplete is cut off by the next
	return err
}

// openSpool opens a spool for writing, and nothing else of its name: a user who
// may write in the directory could have made a link to a file that only this
// process may write.
func openSpool(path string) (*os.File, error) {
	file, err := atomicfile.Open(path, os.O_RDWR)
	if err == nil && !isSpool(file) {
		file.Close()
		return nil, fmt.Errorf("%s is not a spool file", filepath.Base(path))
	}
	return file, err
}

// isSpool reports whether a file begins as a spool does. The first byte may be
// locked; it is not read.
func isSpool(file io.ReaderAt) bool {
	var magic [len(spoolMagic)]byte
	_, err := file.ReadAt(magic[1:], 1)
	return err == nil && string(magic[1:]) == spoolMagic[1:]
}

func (j *journal) close() {
	if j.sock != nil {
		j.sock.Close()
	}
}

// endOfRecords returns the offset for the next record, after the last complete
// one. What is behind it is cut off: an incomplete record, which a killed
// process may have left, or damage.
func endOfRecords(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	end := int64(len(spoolMagic))
	for {
		_, length, err := readRecord(file, end, info.Size())
		if err != nil && !errors.Is(err, errDamaged) && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if length == 0 {
			break
		}
		end += length
	}
	if end == info.Size() {
		return end, nil
	}
	return end, file.Truncate(end)
}
