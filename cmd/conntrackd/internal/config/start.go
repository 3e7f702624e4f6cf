package config

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
)

// Starting returns what the daemon says of its configuration when it starts, after the
// scheduler is set and before the links are opened: defaults that replace what is
// missing, and what is accepted but has no effect.
func (c *Config) Starting() []Message {
	var s sayer
	switch {
	case !c.hasMode:
		s.warn(0, "No running mode specified. Defaulting to statistics mode.")
	case c.Mode != Stats && c.modes == 0:
		s.warn(0, "No synchronization mode specified. Defaulting to FT-FW mode.")
	}
	if c.Helpers {
		s.warn(c.lines["Helper"], "helpers in user space are not supported, ignoring the section `Helper'. "+
			"The helpers of the kernel go on")
	}
	if c.Socket == "" {
		s.warn(0, "there is no `Path' in `UNIX': no client will reach the daemon")
	}
	if c.Mode != Stats {
		for i := range c.Links {
			s.link(&c.Links[i])
		}
	}
	return s.messages
}

// sayer collects messages.
type sayer struct{ messages []Message }

func (s *sayer) say(l Level, line int, format string, a ...any) {
	s.messages = append(s.messages, Message{Level: l, Line: line, Text: fmt.Sprintf(format, a...)})
}

func (s *sayer) warn(line int, format string, a ...any) { s.say(Warning, line, format, a...) }

// link says what is missing of a link, which makes it useless.
func (s *sayer) link(l *Link) {
	var missing []string
	need := func(name string, ok bool) {
		if !ok {
			missing = append(missing, name)
		}
	}
	need("an Interface", l.Interface != "")
	if l.Kind == Multicast {
		need("an address of a group", usable(l.Remote))
		need("an IPv4_interface", usable(l.Local) || l.Remote.Is6())
		need("a Group", l.Port != 0)
	} else {
		need("an own address", usable(l.Local))
		need("a destination address", usable(l.Remote))
		need("a Port", l.Port != 0)
	}
	if len(missing) > 0 {
		s.warn(l.Line, "the dedicated link in line %d lacks %s", l.Line, strings.Join(missing, ", "))
	}
	if l.Port > math.MaxUint16 {
		s.warn(l.Line, "the dedicated link in line %d has the port %d, the greatest is %d",
			l.Line, l.Port, math.MaxUint16)
	}
	if usable(l.Local) && usable(l.Remote) && l.Local.Is4() != l.Remote.Is4() {
		s.warn(l.Line, "the dedicated link in line %d has addresses of two families", l.Line)
	}
	if l.Kind == Multicast && usable(l.Remote) && !l.Remote.IsMulticast() {
		s.warn(l.Line, "%v is not a multicast group", l.Remote)
	}
}

// usable reports whether an address was told, and well.
func usable(a netip.Addr) bool { return a.IsValid() && !a.IsUnspecified() }
