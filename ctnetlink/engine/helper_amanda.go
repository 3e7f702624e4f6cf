package engine

import (
	"bytes"
	"strconv"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// amandaTimeout is the timeout of a connection of Amanda after an answer, in
// seconds (the parameter master_timeout).
const amandaTimeout = 300

// amandaPorts are the words before a port in an answer of Amanda, in
// the order in which they are looked for.
var amandaPorts = [...]string{"DATA ", "MESG ", "INDEX ", "STATE "}

// readAmanda is the helper amanda: the server answers with the ports to which the
// client connects, as in CONNECT DATA 5000 MESG 5001 INDEX 5002.
func readAmanda(t *Table, p *packet, _ *extension) bool {
	if p.dir != reply {
		return true
	}
	t.extendTimeout(p.e, amandaTimeout)
	const connect = "CONNECT "
	b := p.content(8)
	start := textIndex(b, connect)
	if start < 0 {
		return true
	}
	start += len(connect)
	end := bytes.IndexByte(b[start:], '\n')
	if end < 0 {
		return true
	}
	end += start // where the line ends before a port is rewritten
	pass := true
	for _, word := range amandaPorts {
		b = p.content(8)
		at := textIndex(b[start:], word)
		if at < 0 || start+at > end {
			continue
		}
		at += start + len(word)
		size := min(len("65535"), end-at)
		if size < 0 || at+size > len(b) {
			break // a line that was shortened ends before that
		}
		port, behind := number(b[at:at+size], 0)
		if uint16(port) == 0 {
			break
		}
		pass = t.expectAmanda(p, uint16(port), at, behind) && pass
	}
	return pass
}

// expectAmanda makes the expectation of one port, which is in the data at an
// offset and has a number of digits.
func (t *Table) expectAmanda(p *packet, port uint16, at, digits int) bool {
	o := &p.e.tuples[original]
	x := p.expect(0, ctnetlink.ProtoTCP, o.src, o.dst, port)
	if !p.e.translated() {
		return t.mustExpect(p, x)
	}
	x.follow(original, port)
	port, ok := t.expectPort(p, x, port, NoExpectedPort)
	if !ok {
		return false
	}
	var buf [8]byte
	return t.rewriteFor(p, x, at, digits, strconv.AppendUint(buf[:0], uint64(port), 10))
}

// textIndex returns the index of the first s in b, -1 if there is none.
func textIndex(b []byte, s string) int {
	for i := 0; i+len(s) <= len(b); i++ {
		if b[i] == s[0] && string(b[i:i+len(s)]) == s {
			return i
		}
	}
	return -1
}

// extendTimeout sets the timeout of an entry for the sake of its helper
// (nf_ct_refresh).
func (t *Table) extendTimeout(e *entry, seconds uint32) {
	if e.status&ctnetlink.StatusFixedTimeout == 0 {
		t.setDeadline(e, t.now.after(seconds))
	}
}
