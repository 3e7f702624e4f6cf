package engine

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// dccKinds are the requests of DCC by which a client of IRC announces that it
// listens, with the space behind them.
var dccKinds = [...]string{"SEND ", "CHAT ", "MOVE ", "TSEND ", "SCHAT "}

// dccOffer is what a request of DCC says.
type dccOffer struct {
	addr     uint32
	port     uint16
	at, size int // the place of address and port in the packet's data
}

// readIRC is the helper irc: a client offers a file to another one of the same
// network, which connects to it from an address that is not known.
func readIRC(t *Table, p *packet, _ *extension) bool {
	if p.v.State != StateEstablished || p.dir != original {
		return true
	}
	offer, ok := findDCC(p.content(int(p.tcp.header)))
	e := p.e
	// The client may know its translated address.
	own, outside := be32(e.tuples[original].src[:]), be32(e.tuples[reply].dst[:])
	if !ok || offer.port == 0 || offer.addr != own && offer.addr != outside {
		return true
	}
	x := p.expect(0, ctnetlink.ProtoTCP, [16]byte{}, e.tuples[reply].dst, offer.port)
	x.mask.src = [16]byte{}
	if !e.translated() {
		return t.mustExpect(p, x)
	}
	x.follow(reply, offer.port)
	port, ok := t.expectPort(p, x, offer.port, NoExpectedPort)
	if !ok {
		return false
	}
	var buf [24]byte
	text := strconv.AppendUint(buf[:0], uint64(binary.BigEndian.Uint32(x.tuple.dst[:])), 10)
	text = strconv.AppendUint(append(text, ' '), uint64(port), 10)
	return t.rewriteFor(p, x, offer.at, offer.size, text)
}

// findDCC finds the first offer in the data of a packet, which must begin with a
// message: PRIVMSG bob :\1DCC SEND file 167772162 5000.
func findDCC(b []byte) (o dccOffer, ok bool) {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	const command, dcc, shortest = "PRIVMSG ", "\x01DCC ", len(" :\x01DCC SENT t AAAAAAAA P\x01\n")
	if len(b)-i < len(command) || !equalFold(b[i:i+len(command)], command) {
		return o, false
	}
	for i += len(command); i < len(b)-shortest; {
		if b[i] != ' ' || b[i+1] != ':' {
			i++
			continue
		}
		if i += 2; string(b[i:i+len(dcc)]) != dcc {
			return o, false
		}
		i += len(dcc)
		for _, kind := range dccKinds {
			if string(b[i:i+len(kind)]) == kind {
				return readDCC(b, i+len(kind))
			}
		}
	}
	return o, false
}

// readDCC reads the file's name, which has no spaces, the address as one number,
// and the port. A line must end behind them.
func readDCC(b []byte, i int) (o dccOffer, ok bool) {
	if bytes.IndexByte(b[i:], '\n') < 0 {
		return o, false
	}
	for ; b[i] != ' '; i++ {
		if i > len(b)-12 {
			return o, false
		}
	}
	i++
	o.at = i
	addr, i := number(b, i)
	for i < len(b) && b[i] == ' ' {
		i++
	}
	port, i := number(b, i)
	o.addr, o.port, o.size = addr, uint16(port), i-o.at
	return o, true
}

// number reads a decimal number modulo 2³², which may have no digits, and returns
// the index behind it.
func number(b []byte, i int) (v uint32, end int) {
	for ; i < len(b) && isDigit(b[i]); i++ {
		v = v*10 + uint32(b[i]-'0')
	}
	return v, i
}
