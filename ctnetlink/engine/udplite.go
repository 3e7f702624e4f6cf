package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// udplite is UDPlite (RFC 3828). It has the timeouts of UDP.
var udplite = protocol{tuple: ports, check: checkUDPLite, packet: trackUDPLite}

// checkUDPLite checks the coverage and the checksum. The kernel computes the
// pseudo header of the checksum with UDP's number, 17, instead of UDPlite's: a
// packet with a correct checksum is INVALID.
func checkUDPLite(t *Table, p *packet) Reason {
	b := p.payload()
	if len(b) < 8 {
		return p.short(HeaderShort, 8)
	}
	length := p.transportLen()
	coverage := int(be16(b[4:]))
	if coverage == 0 {
		coverage = length
	}
	if coverage < 8 || coverage > length {
		return Reason{Code: BadCoverage, N: [3]int64{int64(coverage), int64(length)}}
	}
	if be16(b[6:]) == 0 {
		return Reason{Code: ChecksumMissing}
	}
	if !t.o.Sysctls.Checksum || p.hook != Prerouting || len(b) < coverage {
		return Reason{}
	}
	if checksum(b[:coverage], p.pseudo(ctnetlink.ProtoUDP, length)) != 0 {
		return Reason{Code: BadUDPLiteChecksum}
	}
	return Reason{}
}

// trackUDPLite makes an entry with a reply a stream at once: unlike UDP it need
// not have existed for two seconds.
func trackUDPLite(t *Table, p *packet) (outcome, Reason) {
	p.e.proto.since = 0
	return t.stream(p, t.timeouts(p, &t.o.Sysctls.UDP))
}
