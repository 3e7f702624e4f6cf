package engine

import (
	"strconv"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// ftpState is what the helper ftp knows of an entry. Commands are read only
// where a line begins.
type ftpState struct {
	lines  [2]lineStarts
	pickup [2]bool // the next data may begin a line: what was before is not known
}

// lineStarts are the sequence numbers behind the last lines of one direction.
type lineStarts struct {
	seq [2]uint32
	n   uint8
}

func (l *lineStarts) has(seq uint32) bool {
	return l.n > 0 && l.seq[0] == seq || l.n > 1 && l.seq[1] == seq
}

// add remembers a number in place of the older one, unless it is older itself.
func (l *lineStarts) add(seq uint32) {
	switch {
	case l.has(seq):
	case l.n < 2:
		l.seq[l.n] = seq
		l.n++
	default:
		old := 1
		if before(l.seq[0], l.seq[1]) {
			old = 0
		}
		if before(l.seq[old], seq) {
			l.seq[old] = seq
		}
	}
}

// ftpMatch says what a command of FTP was found to be.
type ftpMatch uint8

const (
	ftpNone    ftpMatch = iota // another one
	ftpPartial                 // it begins like one of these, and is incomplete or malformed
	ftpFound
)

// ftpTarget is what a command says about a data connection.
type ftpTarget struct {
	addr     [16]byte
	family   ctnetlink.Family // 0: it has no address
	port     uint16
	at, size int // the place of address and port in the packet's data
	form     func(b []byte, family ctnetlink.Family, addr *[16]byte, port uint16) []byte
}

// ftpCommand is a command, or a reply, that announces a data connection.
type ftpCommand struct {
	name string
	read func(b []byte, family ctnetlink.Family, to *ftpTarget) bool
	skip byte // the character behind which the address or port begins; 0: it begins with a digit
	// form appends address and port as the command has them.
	form func(b []byte, family ctnetlink.Family, addr *[16]byte, port uint16) []byte
}

// ftpCommands are the commands of clients and of servers (RFC 959, RFC 2428).
var ftpCommands = [2][2]ftpCommand{
	original: {{"PORT", readPORT, ' ', formHostPort}, {"EPRT", readEPRT, ' ', formEPRT}},
	reply:    {{"227 ", read227, 0, formHostPort}, {"229 ", read229, '(', form229}},
}

// ftpNames are their names, as the reason FTPMalformed numbers them.
var ftpNames = [...]string{"PORT", "EPRT", "227 ", "229 "}

// readFTP is the helper ftp.
func readFTP(t *Table, p *packet, x *extension) bool {
	if p.v.State != StateEstablished {
		return true
	}
	b, s := p.content(int(p.tcp.header)), &x.ftp
	if p.tcp.length == 0 {
		return true
	}
	lines, end := &s.lines[p.dir], p.tcp.seq+p.tcp.length
	newline := uint32(len(b)) == p.tcp.length && b[len(b)-1] == '\n'
	begins := lines.has(p.tcp.seq)
	if s.pickup[p.dir] {
		s.pickup[p.dir] = false
		if begins = true; newline {
			lines.add(end)
		}
	}
	if begins && !t.readFTPLine(p, b) {
		return false
	}
	if newline {
		lines.add(end)
	}
	return true
}

// readFTPLine reads data that begins with a line. It returns false if the packet
// is dropped.
func (t *Table) readFTPLine(p *packet, b []byte) bool {
	to := &t.path.ftp // it would be allocated otherwise
	for i := range ftpCommands[p.dir] {
		c := &ftpCommands[p.dir][i]
		switch c.match(b, p.family, to) {
		case ftpPartial:
			return p.cut() || p.drop(FTPMalformed, int64(p.dir)<<1|int64(i))
		case ftpFound:
			return t.expectFTP(p, to)
		}
	}
	return true
}

// expectFTP makes the expectation of the data connection that a command
// announces.
func (t *Table) expectFTP(p *packet, to *ftpTarget) bool {
	own, peer := &p.e.tuples[p.dir], &p.e.tuples[1-p.dir]
	switch to.family {
	case 0:
		to.addr = own.src
	case p.family:
		if to.addr != own.src {
			return true
		}
	default:
		return true
	}
	x := p.expect(0, ctnetlink.ProtoTCP, peer.src, peer.dst, to.port)
	if p.e.translated() {
		return t.translateFTP(p, x, to)
	}
	return t.mustExpect(p, x)
}

// translateFTP makes the expectation of a master that is translated, and writes
// the address and the port where the other side is to connect into the command.
func (t *Table) translateFTP(p *packet, x *expectation, to *ftpTarget) bool {
	x.follow(1-p.dir, to.port)
	port, ok := t.expectPort(p, x, to.port, NoExpectedPort)
	if !ok {
		return false
	}
	var buf [64]byte
	text := to.form(buf[:0], p.family, &x.tuple.dst, port)
	return t.rewriteFor(p, x, to.at, to.size, text)
}

// match reports what b, the data of a packet, is. A beginning of the command's
// name alone is partial too.
func (c *ftpCommand) match(b []byte, family ctnetlink.Family, to *ftpTarget) ftpMatch {
	n := len(c.name)
	if !equalFold(b[:min(n, len(b))], c.name[:min(n, len(b))]) {
		return ftpNone
	}
	if len(b) <= n {
		return ftpPartial
	}
	at := skipTo(b[n:], c.skip)
	if at < 0 {
		return ftpPartial
	}
	*to = ftpTarget{at: n + at, form: c.form}
	if !c.read(b[n+at:], family, to) {
		return ftpPartial
	}
	return ftpFound
}

// equalFold reports whether b is an ASCII string, whatever the case of letters.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// skipTo returns the index behind the first c, or if c is 0 that of the first
// digit; -1 if there is none.
func skipTo(b []byte, c byte) int {
	for i := range b {
		switch {
		case c == 0 && isDigit(b[i]):
			return i
		case c != 0 && b[i] == c:
			return i + 1
		}
	}
	return -1
}

// numbers reads len(to) decimal numbers, modulo 2³², with sep between them, and
// returns the index of the byte behind them, which must be end unless end is 0.
// It returns -1 if b has something else. A number may have no digits.
func numbers(b []byte, to []uint32, sep, end byte) int {
	n := 0
	for i, c := range b {
		switch {
		case isDigit(c):
			to[n] = to[n]*10 + uint32(c-'0')
		case c == sep:
			if n++; n == len(to) {
				return -1
			}
		case n == len(to)-1 && (end == 0 || c == end):
			return i
		default:
			return -1
		}
	}
	return -1
}

// readHostPort reads the six numbers of PORT and 227.
func readHostPort(b []byte, to *ftpTarget, end byte) bool {
	var n [6]uint32
	if to.size = numbers(b, n[:], ',', end); to.size < 0 {
		return false
	}
	to.family = familyIPv4
	to.setIPv4(n[:4])
	to.port = uint16(n[4]<<8 | n[5])
	return true
}

func (to *ftpTarget) setIPv4(n []uint32) {
	v := n[0]<<24 | n[1]<<16 | n[2]<<8 | n[3]
	to.addr = [16]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}

func readPORT(b []byte, _ ctnetlink.Family, to *ftpTarget) bool { return readHostPort(b, to, '\r') }

func read227(b []byte, _ ctnetlink.Family, to *ftpTarget) bool { return readHostPort(b, to, 0) }

func formHostPort(b []byte, _ ctnetlink.Family, addr *[16]byte, port uint16) []byte {
	for _, v := range addr[:4] {
		b = append(strconv.AppendUint(b, uint64(v), 10), ',')
	}
	b = append(strconv.AppendUint(b, uint64(port>>8), 10), ',')
	return strconv.AppendUint(b, uint64(port&0xff), 10)
}

// readEPRT reads |1|10.0.0.2|6000| or |2|fd00::2|6000|, whichever is of the
// packet's family, with any delimiter.
func readEPRT(b []byte, family ctnetlink.Family, to *ftpTarget) bool {
	if len(b) < 4 || !isDelimiter(b[0]) || b[2] != b[0] {
		return false
	}
	delim, at := b[0], -1
	switch {
	case b[1] == '1' && family == familyIPv4:
		var n [4]uint32
		if at = numbers(b[3:], n[:], '.', delim); at >= 0 {
			to.setIPv4(n[:])
		}
	case b[1] == '2' && family == familyIPv6:
		to.addr, at = parseIPv6(b[3:], delim)
	}
	if at < 0 {
		return false
	}
	to.family = family
	port := b[3+at+1:]
	if to.size = to.readPort(port, delim); to.size < 0 {
		return false
	}
	to.size += 3 + at + 2
	return true
}

func formEPRT(b []byte, family ctnetlink.Family, addr *[16]byte, port uint16) []byte {
	if family == familyIPv6 {
		b = appendIPv6(append(b, "|2|"...), addr)
	} else {
		b = appendIPv4(append(b, "|1|"...), addr)
	}
	return append(strconv.AppendUint(append(b, '|'), uint64(port), 10), '|')
}

// read229 reads |||6446|, with any delimiter.
func read229(b []byte, _ ctnetlink.Family, to *ftpTarget) bool {
	if len(b) < 4 || !isDelimiter(b[0]) || b[1] != b[0] || b[2] != b[0] {
		return false
	}
	to.size = to.readPort(b[3:], b[0]) + 4
	return to.size >= 4
}

func form229(b []byte, _ ctnetlink.Family, _ *[16]byte, port uint16) []byte {
	return append(strconv.AppendUint(append(b, "|||"...), uint64(port), 10), '|')
}

// isDelimiter reports whether c is a character that RFC 2428 allows: one that is
// printed, and for Linux not a digit.
func isDelimiter(c byte) bool { return 33 <= c && c <= 126 && !isDigit(c) }

// readPort reads a decimal port, modulo 2¹⁶ and not 0, and returns the index of
// the delimiter behind it, -1 if b has something else.
func (to *ftpTarget) readPort(b []byte, delim byte) int {
	var port uint16
	for i, c := range b {
		switch {
		case isDigit(c):
			port = port*10 + uint16(c-'0')
		case c == delim && port != 0:
			to.port = port
			return i
		default:
			return -1
		}
	}
	return -1
}
