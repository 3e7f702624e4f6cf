package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// saneStart is the request to which a server of SANE answers with a port
// (SANE_NET_START of the SANE standard).
const saneStart = 7

// readSANE is the helper sane: the client connects to the port that the server
// answers to NET_START.
func readSANE(t *Table, p *packet, x *extension) bool {
	b := p.content(int(p.tcp.header))
	if p.v.State != StateEstablished || len(b) == 0 {
		return true
	}
	if p.dir == original {
		if len(b) == 8 {
			x.saneStarted = be32(b) == saneStart
		}
		return true
	}
	if !x.saneStarted {
		return true
	}
	x.saneStarted = false
	if len(b) < 8 || be32(b) != 0 || be16(b[4:]) != 0 { // status; a port has 16 bits
		return true
	}
	o := &p.e.tuples[original]
	return t.mustExpect(p, p.expect(0, ctnetlink.ProtoTCP, o.src, o.dst, be16(b[6:])))
}
