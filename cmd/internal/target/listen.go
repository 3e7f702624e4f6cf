package target

import (
	"errors"
	"io"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Listener is a stream of events: of one table, or of several.
type Listener interface {
	// From returns the table whose batch Next returned last.
	From() *Table
	Next() (ctnetlink.EventBatch, error)
	Ready() bool
	Idle() bool
	Loss() ctnetlink.Loss
	ReadBuffer() int
	Stop()
}

// Merge returns one stream of the events of several tables, each with its
// listener, in the order in which they are received.
func Merge(tables []*Table, listeners []*ctnetlink.Listener) Listener {
	if len(tables) == 1 {
		return &single{listeners[0], tables[0]}
	}
	m := &merged{tables: tables, arrived: make(chan arrival, len(tables)), from: -1, open: len(tables)}
	for _, l := range listeners {
		m.parts = append(m.parts, &part{Listener: l, read: make(chan struct{})})
	}
	for i := range m.parts {
		go m.forward(i)
	}
	return m
}

// single is the stream of one table.
type single struct {
	*ctnetlink.Listener
	table *Table
}

func (s *single) From() *Table { return s.table }

// merged is the stream of several tables. A goroutine for each waits for a
// batch, hands it over, and waits until it was read.
type merged struct {
	tables  []*Table
	parts   []*part
	arrived chan arrival
	open    int
	from    int // whose batch waits to be read, -1 for none
	last    int // whose batch, or error, was returned last
}

func (m *merged) From() *Table { return m.tables[m.last] }

type part struct {
	*ctnetlink.Listener
	read  chan struct{} // its batch was read
	ended bool
}

type arrival struct {
	from  int
	batch ctnetlink.EventBatch
	err   error
}

func (m *merged) forward(i int) {
	for {
		batch, err := m.parts[i].Next()
		m.arrived <- arrival{i, batch, err}
		if err != nil {
			return
		}
		<-m.parts[i].read
	}
}

// Next returns the next batch of any table, io.EOF after the last of all.
func (m *merged) Next() (ctnetlink.EventBatch, error) {
	if m.from >= 0 {
		m.parts[m.from].read <- struct{}{}
		m.from = -1
	}
	for m.open > 0 {
		a := <-m.arrived
		m.last = a.from
		switch {
		case errors.Is(a.err, io.EOF):
			m.open--
			m.parts[a.from].ended = true
		case a.err != nil:
			return ctnetlink.EventBatch{}, a.err
		default:
			m.from = a.from
			return a.batch, nil
		}
	}
	return ctnetlink.EventBatch{}, io.EOF
}

// Ready reports whether more can be expected at once.
func (m *merged) Ready() bool {
	if len(m.arrived) > 0 {
		return true
	}
	for _, l := range m.parts {
		if !l.ended && l.Listener.Ready() {
			return true
		}
	}
	return false
}

// Idle reports whether no event waits, here or in a socket.
func (m *merged) Idle() bool {
	if len(m.arrived) > 0 {
		return false
	}
	for _, l := range m.parts {
		if !l.ended && !l.Listener.Idle() {
			return false
		}
	}
	return true
}

// Loss returns the sum of all losses.
func (m *merged) Loss() (sum ctnetlink.Loss) {
	for _, l := range m.parts {
		loss := l.Listener.Loss()
		sum.Overruns += loss.Overruns
		sum.Lost += loss.Lost
		sum.Dropped += loss.Dropped
	}
	return sum
}

// ReadBuffer returns the sum of the sizes of all sockets' buffers.
func (m *merged) ReadBuffer() int {
	sum := 0
	for _, l := range m.parts {
		sum += l.Listener.ReadBuffer()
	}
	return sum
}

// Stop ends the listening to every table, at the same time.
func (m *merged) Stop() {
	stopped := make(chan struct{})
	for _, l := range m.parts {
		go func() {
			l.Listener.Stop()
			stopped <- struct{}{}
		}()
	}
	for range m.parts {
		<-stopped
	}
}
