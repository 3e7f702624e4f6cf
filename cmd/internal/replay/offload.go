package replay

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// offload recognises checksums that a network card was to fill in after the
// capture: wrong ones, all sent by one host, most of whose packets have such and were
// answered, or with nothing but the sum of the pseudo header in them.
type offload struct {
	senders map[netip.Addr]*badSender
	// asked are connections of packets with wrong checksums, as their answers have
	// them.
	asked map[ctnetlink.Tuple]netip.Addr
	tuple ctnetlink.Tuple
}

// badSender is a host that sent packets with wrong checksums.
type badSender struct {
	bad, partial, answered int
	good                   int // packets since the first wrong checksum that have none
}

// maxAsked limits the memory for connections.
const maxAsked = 4096

// add notes a packet.
func (o *offload) add(data []byte, v *engine.Verdict) {
	switch {
	case v.State == engine.StateInvalid && v.Reason.Code == engine.BadChecksum:
		tupleOf(data, &o.tuple)
		if o.senders == nil {
			o.senders, o.asked = map[netip.Addr]*badSender{}, map[ctnetlink.Tuple]netip.Addr{}
		}
		s := o.senders[o.tuple.Src]
		if s == nil {
			s = &badSender{}
			o.senders[o.tuple.Src] = s
		}
		s.bad++
		if hasPartialSum(data) {
			s.partial++
		}
		if len(o.asked) < maxAsked {
			o.asked[reversed(&o.tuple)] = o.tuple.Src
		}
	case len(o.senders) > 0:
		tupleOf(data, &o.tuple)
		if s := o.senders[o.tuple.Src]; s != nil {
			s.good++
		}
		if a, ok := o.asked[o.tuple]; ok {
			o.senders[a].answered++
			delete(o.asked, o.tuple)
		}
	}
}

// found returns how many packets with such checksums there were and who sent them,
// 0 if the checksums are wrong for another reason.
func (o *offload) found() (n int, hosts string) {
	families := map[bool]int{}
	var names []string
	for _, a := range slices.SortedFunc(maps.Keys(o.senders), netip.Addr.Compare) {
		s := o.senders[a]
		sure := s.partial == s.bad
		if families[a.Is4()]++; !sure && (s.answered == 0 || s.good > s.bad || families[a.Is4()] > 1) {
			return 0, ""
		}
		n += s.bad
		names = append(names, a.String())
	}
	if len(names) > 3 {
		names = append(names[:3], "others")
	}
	return n, strings.Join(names, ", ")
}

// hasPartialSum reports whether the checksum of a TCP or UDP packet without IPv6
// extension headers is the sum of its pseudo header, not complemented, which is
// what the stack leaves there for the card.
func hasPartialSum(b []byte) bool {
	var sum uint32
	add := func(b []byte) {
		for i := 0; i+1 < len(b); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(b[i:]))
		}
	}
	var proto byte
	var transport []byte
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		n := int(b[0]&15) * 4
		total := int(binary.BigEndian.Uint16(b[2:]))
		if n < 20 || total < n || len(b) < n {
			return false
		}
		proto, transport = b[9], b[n:]
		add(b[12:20])
		sum += uint32(total - n)
	case len(b) >= 40 && b[0]>>4 == 6:
		proto, transport = b[6], b[40:]
		add(b[8:40])
		sum += uint32(binary.BigEndian.Uint16(b[4:]))
	default:
		return false
	}
	sum += uint32(proto)
	at := 16
	if ctnetlink.Protocol(proto) == ctnetlink.ProtoUDP {
		at = 6
	} else if ctnetlink.Protocol(proto) != ctnetlink.ProtoTCP {
		return false
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return len(transport) >= at+2 && binary.BigEndian.Uint16(transport[at:]) == uint16(sum)
}
