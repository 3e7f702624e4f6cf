package kernel

import (
	"context"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Entry is an object that is to be committed.
type Entry struct {
	Object wire.Object
	Age    time.Duration // since it was told last: its timeout is older by so much
}

// Commit is what is to be written into the table.
type Commit struct {
	// Total is about how many entries come.
	Total int
	// Next is called, without the lock, for the next part of them: it appends to dst,
	// and appends nothing at the end. Objects must stay as they are until the next call.
	Next func(dst []Entry) []Entry
	// Active: this node is active already, so that its connections are alive. One of them
	// that has a tuple of another connection that is to be committed stays, and that one
	// fails: both cannot be there.
	Active bool
	// Failed is called for each that the table refused. op is what was refused:
	// "commit-create" or "commit-destroy". It may be nil.
	Failed func(op string, o wire.Object, err error)
}

// Committed is what became of a commit. Entries that were there already are among the new
// ones.
type Committed struct {
	New, Failed int
}

// Commit writes the objects of a cache into the table, in the order in which they come,
// but those of related connections after the others.
//
// An entry that the table already has is updated, if it is the same connection with the
// same translation, and replaced otherwise. It stays as it is if the table knows more of
// it, that it has seen a reply, or if an update would change nothing. Other connections
// that have one of its tuples are removed, but for those of an active node.
//
// The error is one of the table as a whole; what has been written then stays.
func (t *Table) Commit(ctx context.Context, c Commit) (Committed, error) {
	t.commits.mu.Lock()
	defer t.commits.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.closing, cancel)()
	if t.closing.Err() != nil {
		return Committed{}, t.closing.Err()
	}
	w := newWriter(t, &t.commits, c)
	defer w.close()
	w.hushed = t.hushable(c.Total)
	defer w.hushed.end()
	err := w.all(ctx)
	return w.done, err
}

// writer writes objects into the table. Requests are collected and sent together, without
// acknowledgement: only refusals are answered.
type writer struct {
	t      *Table
	config config.Config // as it was at the beginning
	commit Commit
	batch  *ctnetlink.Batch
	done   Committed

	spec  ctnetlink.FlowSpec // of the entry at hand
	other ctnetlink.FlowSpec // for what is in its way
	steps []job              // what the requests that wait are for, one each
	todo  []job              // what refusals have led to

	// inject: requests are changes as they come, which settled counts.
	inject  bool
	settled func(j job, err error)

	hushed         *hush
	tried, existed int
	asked          bool
	seen           *seen // what the table had, if it was read
}

// job is a step on the way of an entry into the table.
type job struct {
	entry Entry
	first action // what it was to begin with
	what  action
	bare  bool // without helper and master
	turns int
}

// maxTurns bounds how often an entry is tried in other ways: others change the table too.
const maxTurns = 6

// action is what a request does.
type action uint8

const (
	create   action = iota
	keep            // nothing: it is there, as it is to be
	look            // ask for one that may be there
	rival           // ask for another connection that has the translated tuple
	change          // update one that is there
	remove          // delete one that may be there, so that it is not in the way
	recreate        // create after deletions
	destroy         // delete one because a peer says so
)

func newWriter(t *Table, o *owner, c Commit) *writer {
	return &writer{t: t, config: t.settings(), commit: c, batch: o.conn.NewBatch()}
}

func (w *writer) close() { _ = w.batch.Close() }

// all writes everything.
func (w *writer) all(ctx context.Context) error {
	var part, related []Entry
	var kept []byte
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if part = w.commit.Next(part[:0]); len(part) == 0 {
			break
		}
		for _, e := range part {
			if err := e.Object.Spec(&w.spec); err != nil {
				w.fail("commit-create", e, err)
				continue
			}
			if w.spec.Set.Has(ctnetlink.AttrTupleMaster) {
				n := len(kept)
				kept = append(kept, e.Object...)
				related = append(related, Entry{kept[n:len(kept):len(kept)], e.Age})
				continue
			}
			if err := w.write(ctx, e); err != nil {
				return err
			}
		}
		if err := w.settle(); err != nil {
			return err
		}
	}
	for _, e := range related {
		if e.Object.Spec(&w.spec) != nil {
			continue // it was read before
		}
		if err := w.write(ctx, e); err != nil {
			return err
		}
	}
	return w.settle()
}

// write adds the first request for the entry whose specification is in w.spec.
func (w *writer) write(ctx context.Context, e Entry) error {
	what := create
	if w.seen != nil {
		what = w.seen.judge(&w.spec, e.Age, &w.config)
		switch {
		case what == recreate, (what == change || what == keep) && !w.changeable():
			what = w.instead()
		case what == keep:
			w.end(job{entry: e}, nil)
			return nil
		}
	}
	w.hushed.write()
	w.add(job{entry: e, first: what, what: what})
	if !w.batch.Full() {
		return nil
	}
	if err := w.settle(); err != nil {
		return err
	}
	return w.sample(ctx)
}

// settle sends what waits and deals with the refusals, until nothing is left.
func (w *writer) settle() error {
	for len(w.steps)+len(w.todo) > 0 {
		for len(w.todo) > 0 && !w.batch.Full() {
			j := w.todo[len(w.todo)-1]
			w.todo = w.todo[:len(w.todo)-1]
			if j.entry.Object.Spec(&w.spec) == nil {
				w.add(j)
			}
		}
		results, err := w.batch.Do()
		for i := range results {
			w.judge(w.steps[i], &results[i])
		}
		w.steps = w.steps[:0]
		if err != nil {
			return err
		}
	}
	return nil
}

// add adds the requests of a job for the entry in w.spec, which it changes.
func (w *writer) add(j job) {
	switch j.what {
	case look:
		w.name(&w.spec.Orig)
		w.batch.Get(&w.other)
	case rival:
		w.name(&w.spec.Reply)
		w.batch.Get(&w.other)
	case change:
		request(&w.spec, j.entry.Age, &w.config)
		changeOnly(&w.spec)
		w.batch.Update(&w.spec)
	case destroy:
		w.name(&w.spec.Orig)
		w.other.Exact = true
		w.batch.Delete(&w.other)
	case recreate:
		// Whatever has one of the tuples, in either direction, is in the way.
		w.name(&w.spec.Orig)
		w.batch.Delete(&w.other)
		w.steps = append(w.steps, job{what: remove})
		if w.translated() {
			w.name(&w.spec.Reply)
			w.batch.Delete(&w.other)
			w.steps = append(w.steps, job{what: remove})
		}
		fallthrough
	default:
		if j.bare {
			w.spec.Set = w.spec.Set.Without(ctnetlink.AttrHelp).Without(ctnetlink.AttrTupleMaster)
			w.spec.Helper, w.spec.Master = "", ctnetlink.Tuple{}
		}
		request(&w.spec, j.entry.Age, &w.config)
		w.batch.Create(&w.spec)
	}
	w.steps = append(w.steps, j)
}

// name makes w.other name whatever has a tuple of the entry.
func (w *writer) name(tuple *ctnetlink.Tuple) {
	w.other = ctnetlink.FlowSpec{Orig: *tuple}
	if w.spec.Set.Has(ctnetlink.AttrZone) {
		w.other.SetZone(w.spec.Zone)
	}
}

// translated reports whether the reply tuple of the entry in w.spec is not the original one
// reversed.
func (w *writer) translated() bool {
	return w.spec.Set.Has(ctnetlink.AttrNATSrc) || w.spec.Set.Has(ctnetlink.AttrNATDst)
}

// instead returns how to replace what is in the way of the entry in w.spec.
func (w *writer) instead() action {
	if w.commit.Active && w.translated() {
		return rival
	}
	return recreate
}

// changeable reports whether the entry in w.spec can be updated. A TCP entry whose windows
// are tracked is replaced, since the windows in the table are out of date.
func (w *writer) changeable() bool {
	return !w.config.TCPWindowTracking || w.spec.Orig.Proto != ctnetlink.ProtoTCP
}

// judge takes the answer to one request.
func (w *writer) judge(j job, r *ctnetlink.Result) {
	errno, _ := ctnetlink.AsErrno(r.Err)
	if j.turns++; j.turns > maxTurns && r.Err == nil && j.what == look {
		r.Err = ctnetlink.EAGAIN
	}
	switch {
	case j.what == remove:
		return
	case j.turns > maxTurns && r.Err != nil:
		w.end(j, r.Err)
		return
	case j.what == look:
		if j.entry.Object.Spec(&w.spec) != nil {
			return // it was read before
		}
		switch {
		case r.Flow != nil && same(&w.spec, r.Flow) && w.changeable():
			j.what = change
		case r.Flow != nil && w.commit.Active && !begins(&w.spec, r.Flow):
			w.end(j, ctnetlink.EEXIST)
			return
		default:
			j.what = w.instead()
		}
	case j.what == rival:
		if r.Flow != nil && j.entry.Object.Spec(&w.spec) == nil && !begins(&w.spec, r.Flow) {
			w.end(j, ctnetlink.EEXIST)
			return
		}
		j.what = recreate
	case j.what == create && errno == ctnetlink.EEXIST && w.inject:
		j.what = recreate
	case j.what == create && errno == ctnetlink.EEXIST:
		w.tried++
		w.existed++
		j.what = look
	case j.what == change && errno == ctnetlink.ENOENT && !j.bare:
		j.what = create
	case r.Err == nil, j.what == change && errno == ctnetlink.EBUSY:
		// EBUSY: it has seen a reply that the peer had not when it told of it.
		w.tried++
		w.end(j, nil)
		return
	case j.what == change:
		j.what = recreate
	case !j.bare && j.what != destroy && (errno == ctnetlink.EOPNOTSUPP || errno == ctnetlink.ENOENT || errno == ctnetlink.EAGAIN) &&
		j.entry.Object.Spec(&w.spec) == nil && w.spec.Set&bareAttrs != 0:
		// The helper is not here, or the master is gone: better without than not.
		j.what, j.bare = w.instead(), true
	default:
		w.end(j, r.Err)
		return
	}
	w.todo = append(w.todo, j)
}

// bareAttrs are what a bare entry is made without.
const bareAttrs = ctnetlink.AttrSet(1<<ctnetlink.AttrHelp | 1<<ctnetlink.AttrTupleMaster)

// end notes what has become of an entry.
func (w *writer) end(j job, err error) {
	switch {
	case w.settled != nil:
		w.settled(j, err)
	case err != nil:
		w.fail("commit-create", j.entry, err)
	default:
		w.done.New++
		w.hushed.note(j.entry.Object)
	}
}

func (w *writer) fail(op string, e Entry, err error) {
	w.done.Failed++
	if w.commit.Failed != nil {
		w.commit.Failed(op, e.Object, cause(err))
	}
}
