package cmd

import (
	"errors"
	"io"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// listener is where events come from: a ctnetlink.Listener, or several.
type listener interface {
	Next() (ctnetlink.EventBatch, error)
	Ready() bool
	Loss() ctnetlink.Loss
	ReadBuffer() int
	Stop()
}

// listenEverywhere listens in the namespaces that are meant.
func (p *program) listenEverywhere(q ctnetlink.ListenRequest) (listener, error) {
	if p.spaces == nil {
		return p.table.Listen(q)
	}
	m := &merged{arrived: make(chan arrival, len(p.spaces)), from: -1}
	for _, ns := range p.spaces {
		p.enter(ns)
		l, err := ns.table.Listen(q)
		if err != nil {
			m.Stop()
			return nil, err
		}
		m.parts = append(m.parts, &part{Listener: l, read: make(chan struct{})})
	}
	m.open = len(m.parts)
	for i := range m.parts {
		go m.forward(i)
	}
	return m, nil
}

// merged is one stream of the events of several namespaces, in the order in
// which they are received: a goroutine for each waits for a batch, hands it
// over, and waits until it was read.
type merged struct {
	parts   []*part
	arrived chan arrival
	open    int
	from    int // whose batch was returned last, -1 before the first
}

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

// Next returns the next batch of any namespace, of m.from; io.EOF after the
// last of all.
func (m *merged) Next() (ctnetlink.EventBatch, error) {
	if m.from >= 0 {
		m.parts[m.from].read <- struct{}{}
		m.from = -1
	}
	for m.open > 0 {
		a := <-m.arrived
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

// Ready tells whether more can be expected at once.
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

// Loss returns the losses of all together.
func (m *merged) Loss() (sum ctnetlink.Loss) {
	for _, l := range m.parts {
		loss := l.Listener.Loss()
		sum.Overruns += loss.Overruns
		sum.Lost += loss.Lost
		sum.Dropped += loss.Dropped
	}
	return sum
}

// ReadBuffer returns the size of all sockets' buffers together.
func (m *merged) ReadBuffer() int {
	sum := 0
	for _, l := range m.parts {
		sum += l.Listener.ReadBuffer()
	}
	return sum
}

// Stop ends the listening in every namespace, in all at the same time.
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
