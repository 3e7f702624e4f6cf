package replay

import (
	"net/netip"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

func hostAddr(a netip.Addr) engine.Addr {
	return engine.Addr{Prefix: netip.PrefixFrom(a, a.BitLen())}
}

// locals are the addresses of this machine, as packets have them.
type locals struct {
	v4 [][4]byte
	v6 [][16]byte
}

func newLocals(list []netip.Addr) *locals {
	l := &locals{}
	for _, a := range list {
		if a.Is4() {
			l.v4 = append(l.v4, a.As4())
		} else {
			l.v6 = append(l.v6, a.As16())
		}
	}
	return l
}

// where returns the way of a packet through this machine. Without addresses of it
// all packets are forwarded. With some, multicast and broadcast packets arrive too.
func (l *locals) where(b []byte) engine.Where {
	switch {
	case len(l.v4)+len(l.v6) == 0:
	case len(b) >= 20 && b[0]>>4 == 4:
		switch {
		case slices.Contains(l.v4, [4]byte(b[12:])):
			return engine.Output
		case slices.Contains(l.v4, [4]byte(b[16:])), b[16]&0xf0 == 0xe0, [4]byte(b[16:]) == [4]byte{255, 255, 255, 255}:
			return engine.Input
		}
	case len(b) >= 40 && b[0]>>4 == 6:
		switch {
		case slices.Contains(l.v6, [16]byte(b[8:])):
			return engine.Output
		case slices.Contains(l.v6, [16]byte(b[24:])), b[24] == 0xff:
			return engine.Input
		}
	}
	return engine.Forward
}
