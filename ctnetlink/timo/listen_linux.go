package timo

import (
	"errors"
	"fmt"
	"io"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Groups converts multicast groups. Both types have the numbers of enum
// nfnetlink_groups.
func Groups(groups ...ctnetlink.Group) []netfilter.NetlinkGroup {
	var to []netfilter.NetlinkGroup
	for _, g := range groups {
		to = append(to, netfilter.NetlinkGroup(g))
	}
	return to
}

// FromGroups converts multicast groups. It returns an error that wraps
// errors.ErrUnsupported if one is not conntrack's.
func FromGroups(groups ...netfilter.NetlinkGroup) ([]ctnetlink.Group, error) {
	var to []ctnetlink.Group
	for _, g := range groups {
		if g < netfilter.GroupCTNew || g > netfilter.GroupCTExpDestroy {
			return nil, fmt.Errorf("netlink group %d: %w", g, errors.ErrUnsupported)
		}
		to = append(to, ctnetlink.Group(g))
	}
	return to, nil
}

// Listen sends the events of groups to evChan, until the Conn is closed. Other
// requests fail from then on, except Close.
//
// Whenever events were lost, because the kernel's buffer was full, Listen sends
// an error with unix.ENOBUFS on the channel that it returns. After numWorkers
// errors it stops, as ti-mo/conntrack ends one of its workers with each error.
// There is one goroutine, whatever numWorkers is.
func (c *Conn) Listen(
	evChan chan<- conntrack.Event, numWorkers uint8, groups []netfilter.NetlinkGroup,
) (chan error, error) {
	if numWorkers == 0 {
		return nil, errNoWorkers
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener != nil {
		return nil, errConnHasListeners
	}
	if len(groups) == 0 {
		return nil, errNoMulticastGroups
	}
	joined, err := FromGroups(groups...)
	if err != nil {
		return nil, err
	}
	l, err := c.conn.Listen(ctnetlink.ListenRequest{Groups: joined, ReadBuffer: c.readBuffer})
	if err != nil {
		return nil, query(err)
	}
	c.listener, c.done = l, make(chan struct{})
	errs := make(chan error)
	w := worker{listener: l, events: evChan, errors: errs, done: c.done, errorsLeft: int(numWorkers)}
	c.workers.Go(w.run)
	return errs, nil
}

// worker sends the events of a listener to a channel.
type worker struct {
	listener   *ctnetlink.Listener
	events     chan<- conntrack.Event
	errors     chan<- error
	done       <-chan struct{}
	errorsLeft int
}

func (w *worker) run() {
	var events ctnetlink.Events
	for {
		batch, err := w.listener.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && batch.Gap {
			err = &netlink.OpError{Op: "receive", Err: unix.ENOBUFS}
		}
		if err != nil && !w.fail(err) {
			return
		}
		for events.Reset(batch); events.Next(); {
			var e conntrack.Event
			if events.Expectation {
				e = ExpectEvent(events.Expect())
			} else {
				e = FlowEvent(events.Flow())
			}
			select {
			case w.events <- e:
			case <-w.done:
				return
			}
		}
	}
}

// fail sends an error, and reports whether the worker goes on.
func (w *worker) fail(err error) bool {
	n := w.errorsLeft
	w.errorsLeft--
	err = fmt.Errorf("Receive() netlink error, closing worker %d: %w", n-1, err)
	select {
	case w.errors <- err:
		return w.errorsLeft > 0
	case <-w.done:
		return false
	}
}
