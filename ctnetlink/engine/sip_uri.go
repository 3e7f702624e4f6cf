package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// sipPort is the port of SIP where none is given.
const sipPort = 5060

// sipURI is an address of the form sip:user@10.0.0.2:5060 in a header.
type sipURI struct {
	addr    [16]byte
	port    uint16
	at, end int // the place of host and port
}

// readURI reads the first URI in a header from an offset on. ok is false if there
// is none, or its host is a name, or its port below 1024.
func readURI(b []byte, from int, family ctnetlink.Family) (u sipURI, ok bool) {
	at := inHeader(b, from, "sip:")
	if at < 0 {
		return u, false
	}
	at += len("sip:")
	for i := at; i < len(b) && !isNewline(b[i]); i++ {
		if b[i] == '@' {
			at = i + 1
			break
		}
	}
	return readHost(b, at, family)
}

// readHost reads an address and a port.
func readHost(b []byte, at int, family ctnetlink.Family) (u sipURI, ok bool) {
	u.at = at
	var n int
	if u.addr, n = readAddr(b[at:], family, true); n == 0 {
		return u, false
	}
	u.end, u.port = at+n, sipPort
	if u.end < len(b) && b[u.end] == ':' {
		port, end, ok := decimal(b, u.end+1)
		if !ok || port < 1024 || port > 65535 {
			return u, false
		}
		u.end, u.port = end, uint16(port)
	}
	return u, true
}

// readAddr reads an address of a family at the start of b, and returns its length
// there, 0 if there is none. bracketed: an IPv6 address stands in brackets.
func readAddr(b []byte, family ctnetlink.Family, bracketed bool) (addr [16]byte, n int) {
	if family == familyIPv6 {
		return readAddr6(b, bracketed)
	}
	end := 0
	for end < len(b) && (b[end] == '.' || hexDigit(b[end]) < 16) {
		end++
	}
	var buf [64]byte
	if end == 0 || end >= len(buf) {
		return addr, 0
	}
	copy(buf[:], b[:end])
	buf[end] = '|'
	if dottedQuad(buf[:end+1], addr[:], '|') != end {
		return [16]byte{}, 0
	}
	return addr, end
}

func readAddr6(b []byte, bracketed bool) (addr [16]byte, n int) {
	open := 0
	if bracketed {
		if len(b) == 0 || b[0] != '[' {
			return addr, 0
		}
		open = 1
	}
	end := open
	for end < len(b) && (b[end] == '.' || b[end] == ':' || hexDigit(b[end]) < 16) {
		end++
	}
	var buf [80]byte
	if end == open || end-open >= len(buf) {
		return addr, 0
	}
	copy(buf[:], b[open:end])
	buf[end-open] = '|'
	addr, at := parseIPv6(buf[:end-open+1], '|')
	if at != end-open {
		return [16]byte{}, 0
	}
	if bracketed {
		if end >= len(b) || b[end] != ']' {
			return [16]byte{}, 0
		}
		end++
	}
	return addr, end
}

// param returns where the value of a parameter of a contact begins, which ends at
// a comma; -1 if it has none.
func sipParam(b []byte, from int, name string) int {
	if comma := inHeader(b, from, ","); comma >= 0 {
		b = b[:comma]
	}
	at := inHeader(b, from, name)
	if at < 0 {
		return -1
	}
	return at + len(name)
}
