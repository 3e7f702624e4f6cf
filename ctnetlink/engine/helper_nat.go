package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// translated reports whether the entry's addresses or ports are translated.
func (e *entry) translated() bool { return e.status&natMask != 0 }

// fnFollowMaster is the name of the function that translates an expected connection
// like its master.
const fnFollowMaster = "nat-follow-master"

// follow makes the expected connection be translated like the master: it comes in
// a direction of the master, and its destination port becomes port.
func (e *expectation) follow(dir direction, port uint16) {
	e.fn, e.nat = fnFollowMaster, expectNAT{dir: uint32(dir), port: port}
}

// expectPort adds an expectation to a port: the one given, or another one, at
// least as high, if that is taken. If all that were tried are taken it drops the
// packet for the reason none, and returns false (nf_nat_exp_find_port).
func (t *Table) expectPort(p *packet, x *expectation, port uint16, none ReasonCode) (uint16, bool) {
	low := uint32(max(port, 1024))
	for range maxAttempts {
		x.tuple.dport = port
		switch t.announce(x) {
		case 0:
			if port == 0 {
				return 0, t.refuse(p, none)
			}
			return port, true
		case ctnetlink.EBUSY:
		default:
			return 0, t.refuse(p, none)
		}
		port = uint16(low + t.draw(low, 1<<16-low, false))
	}
	return 0, t.refuse(p, none)
}

// rewriteFor replaces n bytes of the data at an offset, as the packet announces
// the connection of an expectation. If that is not possible the expectation is
// removed and the packet is dropped. A packet that was not captured whole is not
// changed.
func (t *Table) rewriteFor(p *packet, x *expectation, at, n int, with []byte) bool {
	if p.cut() || t.replaceData(p, at, n, with, true) {
		return true
	}
	t.dropExpect(x, 0, nil)
	return t.refuse(p, NotRewritten)
}
