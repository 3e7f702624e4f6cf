package kernel

import (
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// An expectation may come before its master, if what told of that one was lost and is sent
// again. It waits, and is tried again.
const (
	waitAgain  = 200 * time.Millisecond
	waitTime   = 30 * time.Second
	maxWaiting = 1024
)

// waiting are the expectations that wait for their masters, the oldest first.
type waiting []waitingExpect

type waitingExpect struct {
	typ wire.Type
	o   wire.Object
	key wire.Key
	end time.Time
}

// drop forgets an expectation: something newer is told of it.
func (w *waiting) drop(k wire.Key) {
	*w = slices.DeleteFunc(*w, func(e waitingExpect) bool { return e.key == k })
}

// wait has an expectation tried again. It reports whether there is room.
func (i *injector) wait(typ wire.Type, o wire.Object) bool {
	if len(i.waiting) >= maxWaiting {
		return false
	}
	i.waiting = append(i.waiting, waitingExpect{typ, slices.Clone(o), o.Key(), time.Now().Add(waitTime)})
	if len(i.waiting) == 1 {
		i.tryLater()
	}
	return true
}

// tryLater has the expectations that wait tried again after a time.
func (i *injector) tryLater() {
	time.AfterFunc(waitAgain, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.again = !i.ending
		i.changed.Broadcast()
	})
}

// tryAgain tries the expectations that wait.
func (i *injector) tryAgain() {
	var left waiting
	for _, e := range i.waiting {
		var s ctnetlink.ExpectSpec
		err := e.o.ExpectSpec(&s)
		if err == nil {
			err = createExpect(i.t.injections.conn, &s)
		}
		if errno, _ := ctnetlink.AsErrno(err); errno == ctnetlink.ENOENT && time.Now().Before(e.end) {
			left = append(left, e)
			continue
		}
		i.expected(e.typ, err)
	}
	if i.waiting = left; len(left) > 0 {
		i.tryLater()
	}
}

// expect makes one change to the expectations.
func (i *injector) expect(typ wire.Type, o wire.Object) {
	var s ctnetlink.ExpectSpec
	if o.ExpectSpec(&s) != nil {
		return
	}
	conn := i.t.injections.conn
	i.waiting.drop(o.Key())
	if typ != wire.ExpectNew {
		name := ctnetlink.ExpectSpec{Tuple: s.Tuple, Zone: s.Zone, HasZone: s.HasZone}
		gone := conn.DeleteExpect(&name)
		if typ == wire.ExpectDelete {
			i.counted(typ, gone)
			return
		}
	}
	err := createExpect(conn, &s)
	if errno, _ := ctnetlink.AsErrno(err); errno == ctnetlink.ENOENT && i.wait(typ, o) {
		return
	}
	i.expected(typ, err)
}

// expected counts that an expectation was made, or says why not.
func (i *injector) expected(typ wire.Type, err error) {
	i.counted(typ, err)
	if err != nil {
		i.t.log(config.Warning, "could not add new exp entry: %v", cause(err))
	}
}

// counted counts what has become of a change of an expectation.
func (i *injector) counted(typ wire.Type, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := &i.expects
	good, bad := &c.Created, &c.CreateFailed
	switch typ {
	case wire.ExpectUpdate:
		good, bad = &c.Updated, &c.UpdateFailed
	case wire.ExpectDelete:
		good, bad = &c.Destroyed, &c.DestroyFailed
	}
	if err == nil {
		*good++
	} else {
		*bad++
	}
}
