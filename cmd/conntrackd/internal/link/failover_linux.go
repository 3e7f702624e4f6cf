package link

import (
	"fmt"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// settled is how long after a switch to another link what is heard elsewhere causes no
// further switch: it may have been under way.
const settled = 250 * time.Millisecond

// watchLinks judges the links anew whenever a device changes.
func (s *Set) watchLinks() {
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
			l.moved()
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

// moved makes the sockets of a link those of a device that was made anew.
func (l *dedicated) moved() {
	if d := l.datagrams; d != nil {
		d.to = sockaddr(addrPort(d.to), l.state.index)
		if d.group.IsValid() {
			if err := d.join(l.state.index); err != nil {
				l.sendErrors++
			}
		}
	}
}

// choose makes the next link in the list that runs the active one, if the present one
// does not. It returns what logs that, or nil.
func (s *Set) choose() func() {
	if s.links[s.active].state.running() {
		s.none = false
		return nil
	}
	for i := 1; i < len(s.links); i++ {
		if l := s.links[(s.active+i)%len(s.links)]; l.state.running() {
			return s.activate(l)
		}
	}
	if s.none {
		return nil
	}
	s.none = true
	return func() { s.handler.Log(config.Error, "no dedicated links available!") }
}

// activate makes a link the active one. What the other has not sent yet goes to it.
func (s *Set) activate(l *dedicated) func() {
	old := s.links[s.active]
	l.queue = append(l.queue, old.queue[old.writing:]...)
	old.queue = old.queue[:old.writing]
	if len(old.buffer) > 0 {
		l.buffer, old.buffer = append(old.buffer, l.buffer...), nil
	}
	s.active, s.switched, s.none = l.index, time.Now(), false
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
	if s.active != index && !s.closed && time.Since(s.switched) > settled {
		line = s.activate(s.links[index])
	}
	s.mu.Unlock()
	if line != nil {
		line()
	}
}
