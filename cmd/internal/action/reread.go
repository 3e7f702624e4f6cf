package action

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// reread is a changer that reads entries again immediately before another changer
// acts on them, and passes over those that are gone or no longer match.
//
// Until an entry that was listed is changed, a successor may have taken its
// tuple. An update changes any successor. A deletion names the id, but the id is
// made of the tuple and of the place in memory, so that a successor with the
// same addresses and another mark often has the same. No request but one that
// walks the whole table compares more than that. Reading again leaves some ten
// microseconds for a replacement, in place of the milliseconds that entries wait
// behind others, behind the output, and in buffers.
//
// That takes more time than the change itself. So it is done at the beginning,
// and where entries were seen to be replaced. As long as nothing of the kind
// happens, only samples are read again.
type reread struct {
	changer
	request *cmdline.Request
	env     *Env
	filter  *filter.Filter
	batch   *ctnetlink.Batch
	waiting []ctnetlink.FlowSpec
	// fresh points to whether the entries that come have just been read, which is
	// enough.
	fresh *bool
	// doubted is how many entries are still to be read again, trusted how many
	// are changed without that afterwards, and next how many the next time.
	doubted, trusted, next int
	// size is how many are read again together: the fewer, the less time there is
	// to replace one.
	size int
	// last is when the last trusted entry was handed on, flushed when such entries
	// were last made to be changed.
	last, flushed time.Time
}

const (
	// rereadSize is how many are read again together before one is seen to have
	// been replaced, and again after rereadDoubted without another.
	rereadSize = 8
	// rereadDoubted is how many are read again at the beginning, and after an
	// entry was replaced.
	rereadDoubted = 512
	// rereadLeast and rereadMost bound how many are not read again then.
	rereadLeast, rereadMost = 128, 8192
	// rereadPause is how long listed entries may have to wait: longer, and they
	// are read again. Output that is not read makes them wait.
	rereadPause = 20 * time.Millisecond
)

// newReread returns a changer that hands the entries of e on to c.
func newReread(e *Env, r *cmdline.Request, c changer) *reread {
	return &reread{changer: c, request: r, env: e, filter: e.filter(r), batch: e.conn().NewBatch(),
		doubted: rereadDoubted, next: rereadLeast, size: rereadSize}
}

// close releases the socket.
func (t *reread) close() { _ = t.batch.Close() } // nothing waits in it

func (t *reread) add(f *ctnetlink.Flow) error {
	if t.fresh != nil && *t.fresh {
		return t.changer.add(f)
	}
	if t.trusted > 0 {
		now := time.Now()
		if now.Sub(t.last) < rereadPause {
			t.trusted--
			t.last = now
			if err := t.changer.add(f); err != nil || now.Sub(t.flushed) < rereadPause {
				return err
			}
			t.flushed = now
			return t.changer.flush() // where few match they would wait for each other
		}
		t.doubt()
	}
	t.waiting = append(t.waiting, ctnetlink.FlowSpec{})
	t.waiting[len(t.waiting)-1].Identify(f)
	if len(t.waiting) < t.size {
		return nil
	}
	return t.change()
}

// doubt makes the next entries be read again.
func (t *reread) doubt() { t.doubted, t.trusted, t.next = rereadDoubted, 0, rereadLeast }

func (t *reread) flush() error {
	if len(t.waiting) > 0 {
		return t.change()
	}
	return t.changer.flush()
}

// change reads the entries that wait, and has those changed that are still the
// same.
func (t *reread) change() error {
	// What was handed on before must not keep these from being sent at once.
	if err := t.changer.flush(); err != nil {
		return err
	}
	waiting := t.waiting
	t.waiting = t.waiting[:0]
	for i := range waiting {
		t.batch.Get(&waiting[i])
	}
	results, err := t.batch.Do()
	if err != nil {
		return refused(t.request, err)
	}
	vanished, replaced := false, false
	for i, result := range results {
		f := result.Flow
		switch {
		case errors.Is(result.Err, ctnetlink.ENOENT):
			vanished = true
		case f == nil:
			return refused(t.request, result.Err)
		case !identical(f, &waiting[i]) || !t.filter.Match(f) || !t.env.Activity.still(t.env.netns(), f):
			replaced = true
		default:
			withoutOurUse(f)
			if err := t.changer.add(f); err != nil {
				return err
			}
		}
	}
	err = t.changer.flush()
	vanished = t.changer.missed() || vanished
	switch {
	case replaced:
		t.doubt()
		t.size = 1
	case vanished:
		t.doubt()
	case len(waiting) < t.doubted:
		t.doubted -= len(waiting)
	default:
		t.doubted, t.trusted, t.last = rereadSize, t.next, time.Now()
		t.flushed = t.last
		t.next, t.size = min(2*t.next, rereadMost), rereadSize
	}
	return err
}

// identical reports whether an entry has the id of the one that en names.
func identical(f *ctnetlink.Flow, en *ctnetlink.FlowSpec) bool {
	id, ok := f.ID()
	return !ok || !en.Set.Has(ctnetlink.AttrID) || id == en.ID
}

// withoutOurUse makes an entry that was asked for look as it is listed: reading
// it counts as a use.
func withoutOurUse(f *ctnetlink.Flow) {
	if use, ok := f.Raw(ctnetlink.AttrUse); ok {
		if n := binary.BigEndian.Uint32(use); n > 1 {
			binary.BigEndian.PutUint32(use, n-1)
		}
	}
}
