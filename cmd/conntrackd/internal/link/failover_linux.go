package link

import (
	"fmt"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// settled is how long after a switch to another link what is heard elsewhere causes no
// further switch: it may have been under way.
const settled = 250 * time.Millisecond

// unconnected is how long the active link may have no connection until another, which has
// one, takes its place.
const unconnected = time.Second

// watchLinks judges the links anew whenever a device changes.
func (s *Set) watchLinks() {
	s.judge()
	b := make([]byte, 1<<16)
	for changed(s.watch, b) {
		s.judge()
	}
}

// judge reads the states of the devices, tells the handler what changed, and chooses
// another active link if the present one cannot be used.
func (s *Set) judge() {
	var tell []func()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	for _, l := range s.links {
		before := l.state
		l.state, _ = readStateIn(s, l.config.Interface)
		if l.state.index != 0 && l.state.index != before.index {
			l.stale = true
		}
		if l.stale && l.state.index != 0 {
			l.reopen()
		}
		if l.state.mtu != before.mtu && l.state.mtu != 0 {
			l.setLimit()
		}
		if was, is := before.running(), l.state.running(); was != is {
			if is {
				if l.stream != nil {
					signal(l.stream.kick)
				}
				tell = append(tell, func() { s.handler.Connected(l.index) })
			} else {
				tell = append(tell, func() { s.handler.Lost(l.index) })
			}
		}
	}
	if line := s.choose(); line != nil {
		tell = append([]func(){line}, tell...)
	}
	s.mu.Unlock()
	for _, f := range tell {
		f()
	}
	s.feed()
}

// readStateIn is readState in the namespace of the set.
func readStateIn(s *Set, name string) (st state, err error) {
	err = s.enter(func() error {
		st, err = readState(name)
		return err
	})
	return st, err
}

// reopenEvery is how often it is tried to open sockets by a device that was made anew: it
// may not have its address yet.
const reopenEvery = 500 * time.Millisecond

// reopen opens the sockets of a link anew, if its device was made anew and the sockets
// belong to the device, not only to an address.
func (l *dedicated) reopen() {
	s := l.set
	if l.config.Kind != config.Multicast && !scoped(l.config.Local) && !scoped(l.config.Remote) {
		l.stale = false
		return
	}
	err := s.enter(func() error {
		if l.stream != nil {
			next, err := openStream(&l.config, l.state.index)
			if err == nil {
				l.stream.listener.Close()
				l.stream.listener = next.listener
			}
			return err
		}
		next, err := openDatagrams(&l.config, l.state.index)
		if err == nil {
			l.datagrams.close()
			l.datagrams = next
		}
		return err
	})
	if l.stale = err != nil; l.stale {
		s.after(reopenEvery, s.judge)
	}
}

// choose makes the next link in the list that runs the active one, if the present one
// does not. It returns what logs that, or nil.
func (s *Set) choose() func() {
	if s.links[s.active].state.running() {
		s.none = false
		return nil
	}
	if line := s.next(); line != nil || s.none {
		return line
	}
	s.none = true
	return func() { s.handler.Log(config.Error, "no dedicated links available!") }
}

// next makes the next link in the list that runs the active one, if there is one. It
// returns what logs that, or nil.
func (s *Set) next() func() {
	for i := 1; i < len(s.links); i++ {
		if l := s.links[(s.active+i)%len(s.links)]; l.state.running() {
			return s.activate(l)
		}
	}
	return nil
}

// watchSilence tries the next link when nothing is heard any more on the active one: what
// is between the nodes may be broken, though the device runs. The peer does the same, or
// follows because it hears this node there. A link of TCP on which the peer cannot be
// connected to gives way to one on which it can.
func (s *Set) watchSilence() {
	every := unconnected
	if s.silence > 0 {
		every = min(every, s.silence)
	}
	tick := time.NewTicker(max(every/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-s.context.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		line := s.leave(time.Since(s.began))
		s.mu.Unlock()
		if line != nil {
			line()
			s.feed()
		}
	}
}

// leave makes another link active if the peer does not answer on this one.
func (s *Set) leave(now time.Duration) func() {
	l := s.links[s.active]
	if st := l.stream; st != nil && st.out == nil && now-max(st.ended, s.switched) > unconnected {
		for _, other := range s.links {
			if other.state.running() && other.stream.out != nil {
				return s.activate(other)
			}
		}
	}
	if heard := time.Duration(l.heard.Load()); s.silence > 0 && heard > s.switched && now-heard > s.silence {
		return s.next()
	}
	return nil
}

// activate makes a link the active one. What the other has not sent yet goes to it.
func (s *Set) activate(l *dedicated) func() {
	old := s.links[s.active]
	l.queue = append(l.queue, old.queue[old.writing:]...)
	old.queue = old.queue[:old.writing]
	if len(old.buffer) > 0 {
		l.buffer, old.buffer = append(old.buffer, l.buffer...), nil
	}
	s.active, s.switched, s.none = l.index, time.Since(s.began), false
	l.trim()
	l.goOn()
	return func() {
		s.handler.Log(config.Notice, fmt.Sprintf("device `%s' becomes dedicated link", l.config.Interface))
	}
}

// listenTo makes a link active because a message was received there: its sender may not
// have another.
func (s *Set) listenTo(index int) {
	if len(s.links) == 1 {
		return
	}
	s.mu.Lock()
	var line func()
	if s.active != index && !s.closed && (s.switched == 0 || time.Since(s.began)-s.switched > settled) {
		line = s.activate(s.links[index])
	}
	s.mu.Unlock()
	if line != nil {
		line()
	}
}
