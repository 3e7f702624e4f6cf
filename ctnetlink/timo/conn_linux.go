package timo

import (
	"errors"
	"fmt"
	"sync"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Client is the set of the methods of *conntrack.Conn. A program that uses it
// runs on both libraries.
type Client interface {
	Dump(opts *conntrack.DumpOptions) ([]conntrack.Flow, error)
	DumpFilter(filter conntrack.Filter, opts *conntrack.DumpOptions) ([]conntrack.Flow, error)
	DumpExpect() ([]conntrack.Expect, error)
	Get(f conntrack.Flow) (conntrack.Flow, error)
	Create(f conntrack.Flow) error
	CreateExpect(ex conntrack.Expect) error
	Update(f conntrack.Flow) error
	Delete(f conntrack.Flow) error
	Flush() error
	FlushFilter(filter conntrack.Filter) error
	Listen(evChan chan<- conntrack.Event, numWorkers uint8, groups []netfilter.NetlinkGroup) (chan error, error)
	Stats() ([]conntrack.Stats, error)
	StatsExpect() ([]conntrack.StatsExpect, error)
	StatsGlobal() (conntrack.StatsGlobal, error)
	SetOption(option netlink.ConnOption, enable bool) error
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
	Close() error
}

var (
	_ Client = (*conntrack.Conn)(nil)
	_ Client = (*Conn)(nil)
)

// Conn has the methods of *conntrack.Conn and makes their requests on a
// ctnetlink.Conn. It is safe for concurrent use.
//
// The methods do and return what those of *conntrack.Conn do and return, and
// their errors have the same texts and unwrap to the same *netlink.OpError and
// unix.Errno, but:
//
//   - Delete sends the ID of the Flow if there is one, so that the table refuses
//     to delete another entry with its tuples. Version 0.6.0 of ti-mo/conntrack
//     documents that, and does not send it.
//   - FlushFilter lists the entries and deletes those that match. An entry that
//     is created meanwhile may remain.
//   - SetOption returns an error that wraps errors.ErrUnsupported.
type Conn struct {
	mu         sync.Mutex // protects all of it
	conn       *ctnetlink.Conn
	readBuffer int
	listener   *ctnetlink.Listener
	done       chan struct{} // closed by Close, if there is a listener
	workers    sync.WaitGroup
}

// New returns a Conn on the table of c. Closing the Conn closes c.
func New(c *ctnetlink.Conn) *Conn { return &Conn{conn: c} }

// request calls do, unless the Conn is listening.
func (c *Conn) request(do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener != nil {
		return errConnIsMulticast
	}
	return query(do())
}

// Dump returns all entries. With opts.ZeroCounters their counters are set to 0
// after they were read.
func (c *Conn) Dump(opts *conntrack.DumpOptions) ([]conntrack.Flow, error) {
	return c.dump(new(selection), opts)
}

// DumpFilter returns the entries that match a filter.
func (c *Conn) DumpFilter(filter conntrack.Filter, opts *conntrack.DumpOptions) ([]conntrack.Flow, error) {
	if filter == nil {
		return nil, errNilFilter
	}
	s, err := newSelection(filter)
	if err != nil {
		return nil, err
	}
	return c.dump(s, opts)
}

func (c *Conn) dump(s *selection, opts *conntrack.DumpOptions) (flows []conntrack.Flow, err error) {
	s.DumpRequest.Zero = opts != nil && opts.ZeroCounters
	err = c.request(func() error {
		return s.dump(c.conn, func(f *ctnetlink.Flow) error {
			flows = append(flows, Flow(f))
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return flows, nil
}

// DumpExpect returns all expectations.
func (c *Conn) DumpExpect() (expects []conntrack.Expect, err error) {
	err = c.request(func() error {
		for e, err := range c.conn.DumpExpect(ctnetlink.FamilyAny) {
			if err != nil {
				return err
			}
			expects = append(expects, Expect(e))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return expects, nil
}

// flow calls do with the request for f, which must have a tuple.
func (c *Conn) flow(f *conntrack.Flow, do func(*ctnetlink.FlowSpec) error) error {
	spec := *f
	// ti-mo/conntrack does not send a tuple that is not complete.
	for _, t := range []*conntrack.Tuple{&spec.TupleOrig, &spec.TupleReply, &spec.TupleMaster} {
		if !filled(t) {
			*t = conntrack.Tuple{}
		}
	}
	if !filled(&spec.TupleOrig) && !filled(&spec.TupleReply) {
		return errNeedTuples
	}
	return c.request(func() error { return do(FlowSpec(spec)) })
}

// confirmed returns do for statuses that the kernel takes. It refuses one without
// StatusConfirmed, which ctnetlink would add.
func confirmed(do func(*ctnetlink.FlowSpec) error) func(*ctnetlink.FlowSpec) error {
	return func(spec *ctnetlink.FlowSpec) error {
		if spec.Set.Has(ctnetlink.AttrStatus) && spec.Status&ctnetlink.StatusConfirmed == 0 {
			return ctnetlink.EBUSY
		}
		return do(spec)
	}
}

// Get returns the entry with one of the tuples of f in its zone.
func (c *Conn) Get(f conntrack.Flow) (to conntrack.Flow, err error) {
	err = c.flow(&f, func(spec *ctnetlink.FlowSpec) error {
		got, err := c.conn.Get(spec)
		if err == nil {
			to = Flow(got)
		}
		return err
	})
	return to, err
}

// Create creates an entry. It needs a timeout.
func (c *Conn) Create(f conntrack.Flow) error {
	if f.Timeout == 0 {
		return errNeedTimeout
	}
	return c.flow(&f, confirmed(c.conn.Create))
}

// Update changes the entry with a tuple of f.
func (c *Conn) Update(f conntrack.Flow) error {
	if filled(&f.TupleMaster) {
		return errUpdateMaster
	}
	return c.flow(&f, confirmed(c.conn.Update))
}

// Delete deletes the entry with a tuple of f, and its ID if that is not 0.
func (c *Conn) Delete(f conntrack.Flow) error { return c.flow(&f, c.conn.Delete) }

// CreateExpect creates an expectation.
func (c *Conn) CreateExpect(ex conntrack.Expect) error {
	if !filled(&ex.Tuple) || !filled(&ex.Mask) || !filled(&ex.TupleMaster) {
		return errExpectNeedTuples
	}
	spec := ExpectSpec(ex)
	spec.HasID = false // ti-mo/conntrack does not send it
	return c.request(func() error { return c.conn.CreateExpect(spec) })
}

// Flush deletes all entries.
func (c *Conn) Flush() error {
	return c.request(func() error { return c.conn.Flush(ctnetlink.FamilyAny) })
}

// FlushFilter deletes the entries that match a filter.
func (c *Conn) FlushFilter(filter conntrack.Filter) error {
	if filter == nil {
		return errNilFilter
	}
	s, err := newSelection(filter)
	if err != nil {
		return err
	}
	return c.request(func() error {
		if s.all() {
			return c.conn.Flush(s.Family)
		}
		return s.dump(c.conn, func(f *ctnetlink.Flow) error {
			var spec ctnetlink.FlowSpec
			spec.Identify(f)
			if err := c.conn.Delete(&spec); err != nil && !errors.Is(err, ctnetlink.ENOENT) {
				return err
			}
			return nil
		})
	})
}

// Stats returns the counters of entries of each CPU.
func (c *Conn) Stats() (stats []conntrack.Stats, err error) {
	err = c.request(func() error {
		for s, err := range c.conn.Stats() {
			if err != nil {
				return err
			}
			stats = append(stats, Stats(s))
		}
		return nil
	})
	return stats, err
}

// StatsExpect returns the counters of expectations of each CPU.
func (c *Conn) StatsExpect() (stats []conntrack.StatsExpect, err error) {
	err = c.request(func() error {
		for s, err := range c.conn.StatsExpect() {
			if err != nil {
				return err
			}
			stats = append(stats, StatsExpect(s))
		}
		return nil
	})
	return stats, err
}

// StatsGlobal returns the number of entries, and the largest that is allowed.
func (c *Conn) StatsGlobal() (stats conntrack.StatsGlobal, err error) {
	err = c.request(func() (err error) {
		stats.Entries, stats.MaxEntries, err = c.conn.Count()
		return err
	})
	return stats, err
}

// SetOption returns an error: a table that is not the kernel's has no options of
// a netlink socket.
func (c *Conn) SetOption(option netlink.ConnOption, _ bool) error {
	return fmt.Errorf("netlink option %d: %w", option, errors.ErrUnsupported)
}

// SetReadBuffer sets the size of the receive buffer of a later Listen, in bytes.
func (c *Conn) SetReadBuffer(bytes int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBuffer = bytes
	return nil
}

// SetWriteBuffer has no effect: a request is smaller than any buffer.
func (c *Conn) SetWriteBuffer(int) error { return nil }

// Close closes the Conn, and ends Listen.
func (c *Conn) Close() error {
	c.mu.Lock()
	err := c.conn.Close()
	listener, done := c.listener, c.done
	c.done = nil
	c.mu.Unlock()
	if listener != nil && done != nil {
		close(done)
		listener.Stop()
		c.workers.Wait()
	}
	return err
}
