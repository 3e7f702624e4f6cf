package live

import (
	"encoding/binary"
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// core is what is kept of every entry beside its tuples. It has no pointers, and
// no alignment of 8 bytes.
type core struct {
	// counters are packets and bytes of the original and of the reply direction.
	counters [4]counter
	// rates are per second, in the order of counters. If rates[0] is negative they are
	// not known.
	rates   [4]float32
	look    uint32 // when counters was read, in milliseconds
	expires uint32 // when the timeout ends, in expiryUnit
	start   uint32 // when it began, in seconds since 1970
	mark    uint32
	id      uint32 // of a free record: 1 + the index of the next one
	extra   uint32 // what few entries have, see extras; 0: nothing
	serial  uint32 // tells it from others that had the same place
	status  uint16
	zone    uint16
	has     flags
	proto   ctnetlink.Protocol
	state   uint8 // noState: not sent
}

// counter is a number of 64 bits.
type counter struct{ low, high uint32 }

func (c counter) value() uint64  { return uint64(c.high)<<32 | uint64(c.low) }
func counterOf(v uint64) counter { return counter{uint32(v), uint32(v >> 32)} }

const noState = 0xff

// flags are the attributes that were sent of an entry, and what is noted of it.
type flags uint16

const (
	hasStatus flags = 1 << iota
	hasTimeout
	hasMark
	hasCounters
	hasUse // and it is 1; another is in the extra
	hasID
	hasStart
	zoneOrig   // zone is that of the original direction
	zoneReply  // zone is that of the reply direction; with zoneOrig, of both
	ports      // the tuples have ports or keys
	icmp       // the tuples have an ICMP type, code and id
	noReply    // no reply tuple was sent
	fromZero   // it has counted from 0 since look: its birth was seen
	flagMarked // the user marked it
)

// keyFlags are the flags in which two entries with the same tuple may differ.
const keyFlags = zoneOrig | zoneReply | ports | icmp

// tuple4 and tuple6 are tuples of IPv4 and IPv6. ports has source and destination
// port, or the id, the type and the code of ICMP.
type tuple4 struct {
	src, dst uint32
	ports    uint32
}

type tuple6 struct {
	src, dst [4]uint32
	ports    uint32
}

// tuple is a tuple of either family.
type tuple struct {
	src, dst [2]uint64 // IPv4 addresses are in the low half of [1]
	ports    uint32
}

func (t *tuple4) wide() tuple {
	return tuple{src: [2]uint64{0, uint64(t.src)}, dst: [2]uint64{0, uint64(t.dst)}, ports: t.ports}
}

func (t *tuple) narrow() tuple4 { return tuple4{uint32(t.src[1]), uint32(t.dst[1]), t.ports} }

func (t *tuple6) wide() tuple {
	return tuple{src: wideAddr(&t.src), dst: wideAddr(&t.dst), ports: t.ports}
}

func (t *tuple) six() tuple6 { return tuple6{cutAddr(&t.src), cutAddr(&t.dst), t.ports} }

func wideAddr(a *[4]uint32) [2]uint64 {
	return [2]uint64{uint64(a[0])<<32 | uint64(a[1]), uint64(a[2])<<32 | uint64(a[3])}
}

func cutAddr(a *[2]uint64) [4]uint32 {
	return [4]uint32{uint32(a[0] >> 32), uint32(a[0]), uint32(a[1] >> 32), uint32(a[1])}
}

// key is what an entry is found by: its original tuple and its zone.
type key struct {
	tuple
	zone  uint16
	proto ctnetlink.Protocol
	ipv6  bool
	flags flags // some of keyFlags
}

// words returns an address as two numbers.
func words(a netip.Addr) [2]uint64 {
	if a.Is4() {
		b := a.As4()
		return [2]uint64{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return [2]uint64{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// fromWords returns the address that words made numbers of.
func fromWords(w [2]uint64, ipv6 bool) netip.Addr {
	if !ipv6 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(w[1]))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], w[0])
	binary.BigEndian.PutUint64(b[8:], w[1])
	return netip.AddrFrom16(b)
}
