package tablefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// take moves events of the joined groups from ready to b, as many as fit. One
// that would not fit into an empty b is dropped, with the error ErrTruncated.
func (w *follower) take(b []byte) (n int, err error) {
	m := wire.Messages{B: w.ready}
	for m.Next() {
		padded := w.ready[:len(w.ready)-len(m.B)]
		if w.groups>>groupOf(m.Msg)&1 != 0 {
			switch {
			case n+len(padded) <= len(b):
				n += copy(b[n:], padded)
			case n > 0:
				return n, nil
			default:
				w.ready = m.B
				return 0, ctnetlink.ErrTruncated
			}
		}
		w.ready = m.B
	}
	w.ready = nil
	if m.Malformed {
		w.lossPending = true // no commit wrote this; the rest cannot be read
	}
	return n, nil
}

// groupOf returns the multicast group of an event.
func groupOf(m wire.Message) ctnetlink.Group {
	const create = wire.FlagCreate | wire.FlagExcl
	g := ctnetlink.GroupUpdate
	switch {
	case m.Type()&0xff == wire.MsgDelete:
		g = ctnetlink.GroupDestroy
	case m.Flags()&create != 0:
		g = ctnetlink.GroupNew
	}
	if m.Type()>>8 == wire.SubsysExpect {
		g += ctnetlink.GroupExpectNew - ctnetlink.GroupNew
	}
	return g
}

// read looks for the next record and reports whether there was something new:
// the record of a change that is in the file, one of a change that never will
// be, or a loss.
func (w *follower) read() (bool, error) {
	size, err := w.size()
	if err != nil {
		return false, err
	}
	r, length, err := readRecord(w.spool, w.offset, size)
	if size < w.offset || errors.Is(err, errDamaged) || errors.Is(err, io.EOF) {
		return w.reset(), nil
	}
	if err != nil {
		return false, err
	}
	if length > 0 {
		next, more, err := readRecord(w.spool, w.offset+length, size)
		if err == nil && more > 0 {
			if next.before == r.after {
				w.accept(&r, length)
			}
			w.offset += length // else its process was killed before it replaced the file
			return true, nil
		}
	}
	return w.compare(&r, length, size)
}

// compare compares the serial of the file with that of the events that were
// received. r is the last record of the spool, which has the given size; a
// length of 0 means that there is no such record.
func (w *follower) compare(r *record, length, size int64) (bool, error) {
	now, changed, err := w.look()
	if err != nil || !changed {
		return false, err
	}
	// A record is written before the file is replaced. If the spool is what it
	// was before the file was looked at, it has all the records there are.
	if again, err := w.size(); err != nil || again != size {
		return err == nil, err
	}
	w.seen = now
	switch {
	case length > 0 && r.after == now.serial:
		w.accept(r, length)
		w.offset += length
		return true, nil
	case now.serial != w.at:
		w.at = now.serial
		w.miss()
		if !isSpool(w.spool) {
			w.reset() // so that the next commit can write
		}
		return true, nil
	}
	return false, nil
}

// look reads the header of the file if it has changed since the last look. A
// file that cannot be read as a table, as while a program writes it in place,
// has not changed yet.
func (w *follower) look() (now state, changed bool, err error) {
	info, err := os.Stat(w.file.path)
	if err == nil && w.seen.info != nil && sameVersion(info, w.seen.info) ||
		errors.Is(err, fs.ErrNotExist) && w.seen.info == nil {
		return now, false, nil
	}
	file, now, err := w.file.open()
	var damage *snapshot.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return state{known: true}, true, nil
	case errors.As(err, &damage):
		return now, false, nil
	case err != nil:
		return now, false, err
	}
	if file != nil {
		file.Close()
	}
	return now, true, nil
}

func (w *follower) size() (int64, error) {
	info, err := w.spool.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// accept makes the events of the record at the offset ready.
func (w *follower) accept(r *record, length int64) {
	if r.before != w.at {
		w.miss() // changes before it have no record
	}
	w.at, w.expiry = r.after, r.expiry
	if r.lost > 0 {
		w.lost += uint64(r.lost)
		w.lossPending = true
	}
	w.ready = make([]byte, length-recordHeadLen)
	n, err := w.spool.ReadAt(w.ready, w.offset+recordHeadLen)
	w.ready = w.ready[:n]
	if err != nil {
		w.miss() // it was truncated meanwhile
	}
}

// miss notes that events were lost, nobody knows how many. When the next entry
// expires is not known either.
func (w *follower) miss() {
	w.lossPending = true
	w.expiry = time.Now()
}

// reset empties a spool that is damaged, unless a commit is running, and reports
// whether it did. What was in it is lost.
func (w *follower) reset() bool {
	lock, err := w.file.takeLock(false)
	if err != nil || lock == nil {
		return false
	}
	defer lock.Unlock()
	now, changed, err := w.look()
	if err != nil || w.empty() != nil {
		return false
	}
	if changed {
		w.seen, w.at = now, now.serial
	}
	w.miss()
	return true
}

// empty removes all records from the spool. No commit must be running.
func (w *follower) empty() error {
	if err := w.spool.Truncate(int64(len(spoolMagic))); err != nil {
		return err
	}
	w.offset = int64(len(spoolMagic))
	_, err := w.spool.WriteAt([]byte(spoolMagic[1:]), 1) // the first byte may be locked
	return err
}

// trim empties the spool if all of it was read and no commit is running.
func (w *follower) trim() {
	lock, err := w.file.takeLock(false)
	if err != nil || lock == nil {
		return
	}
	defer lock.Unlock()
	if size, err := w.size(); err == nil && size == w.offset {
		_ = w.empty()
	}
}
