package kernel

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Injected are the counters of what was injected.
type Injected struct {
	Created, CreateFailed, Updated, UpdateFailed, Destroyed, DestroyFailed uint64
}

// injector writes changes into the table as peers tell them, in their order, many in one
// request. It copies what it is given into a queue, so that who gives it does not wait
// for the table.
type injector struct {
	t *Table

	mu      sync.Mutex
	changed sync.Cond
	queue   [][]byte          // blocks of records: the type, the length in 4 bytes, the object
	queued  int               // bytes of those
	spare   [][]byte          // blocks to be used again
	idle    bool              // take waits
	batched map[wire.Key]bool // what write has in its batch
	started bool
	ending  bool
	ended   sync.WaitGroup
	count   Injected // of connections
	expects Injected // of expectations
	waiting waiting  // expectations whose masters have not come; used by run only
	again   bool     // they are to be tried again
}

// maxInjected bounds the queue, in bytes: some 200 000 changes. InjectRoom waits while it
// is full, so that the links lose no more than the table is behind.
const maxInjected = 24 << 20

const (
	recordLen = 5
	// injectBlock is the size of a block of the queue. It grows and shrinks by blocks: one
	// slice would be copied as it grows, and leave several times its size to the collector.
	injectBlock  = 64 << 10
	spareInjects = 4
)

func newInjector(t *Table) *injector {
	i := &injector{t: t, batched: map[wire.Key]bool{}}
	i.changed.L = &i.mu
	return i
}

// InjectRoom waits until the table is not too far behind what was injected. It is called
// without the sink's lock, before what may call Inject a few thousand times.
func (t *Table) InjectRoom() {
	i := t.injector
	i.mu.Lock()
	defer i.mu.Unlock()
	for i.queued >= maxInjected && !i.ending {
		i.changed.Wait()
	}
}

// Inject makes one change, soon and in the order of the calls. It waits for nothing and
// keeps no reference to o.
func (t *Table) Inject(typ wire.Type, o wire.Object) {
	i := t.injector
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ending {
		return
	}
	if !i.started {
		i.started = true
		i.ended.Go(i.run)
	}
	b := i.block(recordLen + len(o))
	*b = append(*b, byte(typ))
	*b = binary.NativeEndian.AppendUint32(*b, uint32(len(o)))
	*b = append(*b, o...)
	i.queued += recordLen + len(o)
	if i.idle {
		i.changed.Broadcast()
	}
}

// block returns the last block, with room for n bytes.
func (i *injector) block(n int) *[]byte {
	last := len(i.queue) - 1
	if last < 0 || cap(i.queue[last])-len(i.queue[last]) < n {
		var b []byte
		if s := len(i.spare) - 1; s >= 0 && n <= injectBlock {
			b, i.spare = i.spare[s], i.spare[:s]
		} else {
			b = make([]byte, 0, max(n, injectBlock))
		}
		i.queue = append(i.queue, b)
		last++
	}
	return &i.queue[last]
}

// Injected returns the counters of the connections that were injected, or of the
// expectations.
func (t *Table) Injected(expect bool) Injected {
	t.injector.mu.Lock()
	defer t.injector.mu.Unlock()
	if expect {
		return t.injector.expects
	}
	return t.injector.count
}

// close ends it: what waits is written before.
func (i *injector) close() {
	i.mu.Lock()
	i.ending = true
	i.changed.Broadcast()
	i.mu.Unlock()
	i.ended.Wait()
}

// take returns the first records that wait, and whether it is time to try again what had
// no master. It returns neither at the end.
func (i *injector) take() (records []byte, again bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.queue) == 0 && !i.again {
		if i.ending {
			return nil, false
		}
		i.idle = true
		i.changed.Wait()
		i.idle = false
	}
	again, i.again = i.again, false
	if len(i.queue) > 0 {
		records = i.queue[0]
		i.queue = slices.Delete(i.queue, 0, 1)
		i.queued -= len(records)
	}
	i.changed.Broadcast()
	return records, again
}

// done takes a block back whose records are written.
func (i *injector) done(block []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if cap(block) == injectBlock && len(i.spare) < spareInjects {
		i.spare = append(i.spare, block[:0])
	}
}

func (i *injector) run() {
	o := &i.t.injections
	o.mu.Lock()
	defer o.mu.Unlock()
	w := newWriter(i.t, o, Commit{})
	defer w.close()
	w.inject, w.settled = true, i.settled
	for {
		records, again := i.take()
		if records == nil && !again {
			return
		}
		i.write(w, records)
		if again {
			i.tryAgain()
		}
		i.done(records)
	}
}

// write writes records. A refusal is dealt with after those that were sent with it, so
// no entry is changed twice in one batch.
func (i *injector) write(w *writer, records []byte) {
	batched := i.batched
	settle := func() {
		if err := w.settle(); err != nil {
			i.t.log(config.Warning, "could not change the table: %v", cause(err))
		}
		clear(batched)
	}
	for len(records) > recordLen {
		typ, n := wire.Type(records[0]), binary.NativeEndian.Uint32(records[1:])
		object := wire.Object(records[recordLen : recordLen+n])
		records = records[recordLen+n:]
		if typ >= wire.ExpectNew {
			settle() // its master may be among what waits
			i.expect(typ, object)
			continue
		}
		key := object.Key()
		if batched[key] {
			settle()
		}
		batched[key] = true
		if object.Spec(&w.spec) != nil {
			continue
		}
		what := [...]action{wire.New: create, wire.Update: change, wire.Delete: destroy}[typ]
		if what == create && w.spec.Set.Has(ctnetlink.AttrTupleMaster) {
			settle()
			_ = object.Spec(&w.spec)
		}
		w.add(job{entry: Entry{Object: object}, first: what, what: what})
		if w.batch.Full() {
			settle()
		}
	}
	settle()
}

// settled counts what has become of a change.
func (i *injector) settled(j job, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := &i.count
	good, bad, what := &c.Created, &c.CreateFailed, "could not add new ct entry"
	switch j.first {
	case change:
		good, bad, what = &c.Updated, &c.UpdateFailed, "could not update ct entry"
	case destroy:
		good, bad, what = &c.Destroyed, &c.DestroyFailed, "could not delete ct entry"
	}
	if err == nil {
		*good++
		return
	}
	*bad++
	if errno, _ := ctnetlink.AsErrno(err); j.first == destroy && errno == ctnetlink.ENOENT {
		return // it ended by itself
	}
	i.t.log(config.Warning, "%s: %v", what, cause(err))
}

// createExpect makes an expectation, in place of one that is there.
func createExpect(conn *ctnetlink.Conn, s *ctnetlink.ExpectSpec) error {
	err := conn.CreateExpect(s)
	switch errno, _ := ctnetlink.AsErrno(err); errno {
	case ctnetlink.EEXIST, ctnetlink.EBUSY:
		name := ctnetlink.ExpectSpec{Tuple: s.Tuple, Zone: s.Zone, HasZone: s.HasZone}
		_ = conn.DeleteExpect(&name)
		err = conn.CreateExpect(s)
	}
	return err
}

// CommitExpect is Commit for expectations. Those whose master is not in the table are
// among the failed ones.
func (t *Table) CommitExpect(ctx context.Context, c Commit) (Committed, error) {
	t.commits.mu.Lock()
	defer t.commits.mu.Unlock()
	settings := t.settings()
	var done Committed
	var part []Entry
	for part = c.Next(part[:0]); len(part) > 0; part = c.Next(part[:0]) {
		for _, e := range part {
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			var s ctnetlink.ExpectSpec
			err := e.Object.ExpectSpec(&s)
			if err == nil {
				left := s.Timeout - e.Age
				switch {
				case settings.CommitTimeout > 0:
					left = settings.CommitTimeout
				case left <= 0:
					left = lateTimeout
				}
				s.SetTimeout(left)
				err = createExpect(t.commits.conn, &s)
			}
			if err == nil {
				done.New++
				continue
			}
			done.Failed++
			if c.Failed != nil {
				c.Failed("commit-create", e.Object, cause(err))
			}
		}
	}
	return done, nil
}
