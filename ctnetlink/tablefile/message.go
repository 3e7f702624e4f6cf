package tablefile

import "encoding/binary"

// What this package knows of netlink messages (linux/netlink.h, nfnetlink.h,
// nfnetlink_conntrack.h): it looks at their headers, and at timeouts.
const (
	headerLen = 16 // nlmsghdr
	headLen   = 20 // nlmsghdr and nfgenmsg

	msgError = 2 // NLMSG_ERROR
	msgDone  = 3 // NLMSG_DONE

	subsysConntrack = 1
	subsysExpect    = 2

	msgNew        = 0
	msgGet        = 1
	msgDelete     = 2
	msgGetCtrZero = 3 // of subsystem 1
	msgGetDying   = 6

	attrTimeout       = 7 // CTA_TIMEOUT, be32 seconds
	attrExpectTimeout = 4 // CTA_EXPECT_TIMEOUT
)

func msgType(m []byte) uint16  { return binary.NativeEndian.Uint16(m[4:]) }
func msgFlags(m []byte) uint16 { return binary.NativeEndian.Uint16(m[6:]) }
func be32(b []byte) uint32     { return binary.BigEndian.Uint32(b) }

// eachMessage calls do for every whole message of a datagram.
func eachMessage(b []byte, do func(m []byte)) {
	for len(b) >= headerLen {
		n := uint64(binary.NativeEndian.Uint32(b))
		if n < headerLen || n > uint64(len(b)) {
			return
		}
		do(b[:n])
		b = b[min((n+3)&^3, uint64(len(b))):]
	}
}

// timeout returns where a message of an entry or an expectation says how long it
// still has, big-endian seconds; nil where it does not.
func timeout(m []byte) (seconds []byte) {
	want := uint16(attrTimeout)
	if msgType(m)>>8 == subsysExpect {
		want = attrExpectTimeout
	}
	const typeMask = 1<<14 - 1 // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
	for b := m[min(headLen, len(m)):]; len(b) >= 4; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return nil
		}
		if binary.NativeEndian.Uint16(b[2:])&typeMask == want && n >= 8 {
			seconds = b[4:8]
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return seconds
}
