package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// Opcodes of TFTP (RFC 1350).
const (
	tftpRead  = 1
	tftpWrite = 2
)

// readTFTP is the helper tftp: after a request the server sends from a port that
// it chooses.
func readTFTP(t *Table, p *packet, _ *extension) bool {
	b := p.content(8)
	if len(b) < 2 || be16(b) != tftpRead && be16(b) != tftpWrite {
		return true
	}
	answer := &p.e.tuples[reply]
	x := p.expect(0, ctnetlink.ProtoUDP, answer.src, answer.dst, answer.dport)
	if p.e.translated() {
		x.follow(reply, p.e.tuples[original].sport)
	}
	return t.mustExpect(p, x)
}
