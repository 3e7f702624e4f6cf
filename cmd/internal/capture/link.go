package capture

import (
	"encoding/binary"
	"fmt"
)

// Link types (https://www.tcpdump.org/linktypes.html).
const (
	linkNull         = 0
	linkEthernet     = 1
	linkPPP          = 9
	linkRawBSD       = 12 // DLT_RAW, as files of some systems have it
	linkRawOpenBSD   = 14
	linkPPPHDLC      = 50
	linkPPPoE        = 51
	linkRaw          = 101
	linkCiscoHDLC    = 104
	link80211        = 105
	linkLoop         = 108
	linkEnc          = 109
	linkSLL          = 113
	linkPFLog        = 117
	linkPrism        = 119
	linkRadiotap     = 127
	linkAVS          = 163
	linkPPPDirection = 204
	linkIPv4         = 228
	linkIPv6         = 229
	linkNFLog        = 239
	linkSLL2         = 276
)

// EtherTypes (IEEE 802 numbers).
const (
	etherIPv4  = 0x0800
	etherARP   = 0x0806
	etherVLAN  = 0x8100
	etherIPv6  = 0x86dd
	etherMPLS  = 0x8847
	etherPPPoE = 0x8864
	etherQinQ  = 0x88a8
	etherLLDP  = 0x88cc
	etherEAPoL = 0x888e
)

// frame is a frame on its way to the IP packet in it.
type frame struct {
	data      []byte // what is left of it
	version   uint8
	direction Direction
	iface     string
	what      string // why there is no IP packet
}

// links are the link types that are read.
var links = map[uint16]func(f *frame){
	linkNull:         (*frame).loopback,
	linkLoop:         (*frame).loopback,
	linkEthernet:     (*frame).ethernet,
	linkPPP:          (*frame).ppp,
	linkPPPHDLC:      (*frame).ppp,
	linkPPPoE:        (*frame).pppoe,
	linkPPPDirection: (*frame).pppDirection,
	linkCiscoHDLC:    func(f *frame) { f.behind(2, (*frame).etherType) },
	linkRaw:          (*frame).raw,
	linkRawBSD:       (*frame).raw,
	linkRawOpenBSD:   (*frame).raw,
	linkIPv4:         func(f *frame) { f.version = 4 },
	linkIPv6:         func(f *frame) { f.version = 6 },
	link80211:        (*frame).wireless,
	linkRadiotap:     (*frame).radiotap,
	linkPrism:        (*frame).prism,
	linkAVS:          (*frame).avs,
	linkSLL:          (*frame).cooked,
	linkSLL2:         (*frame).cooked2,
	linkEnc:          func(f *frame) { f.behind(12, (*frame).raw) },
	linkPFLog:        (*frame).pfLog,
	linkNFLog:        (*frame).nfLog,
}

// none ends the search: there is no IP packet in the frame.
func (f *frame) none(what string) { f.data, f.what = nil, what }

// short ends the search, as none does, for a frame that ends within its header.
func (f *frame) short() { f.none("a frame cut within its header") }

// behind continues behind n bytes.
func (f *frame) behind(n int, next func(f *frame)) {
	if len(f.data) < n {
		f.short()
		return
	}
	f.data = f.data[n:]
	next(f)
}

// raw is an IP packet, whose version is in its first bits.
func (f *frame) raw() {
	if len(f.data) == 0 {
		f.none("an empty packet")
		return
	}
	if v := f.data[0] >> 4; v != 4 && v != 6 {
		f.none(fmt.Sprintf("IP version %d", v))
	}
}

// loopback has an address family in front, in the byte order of the machine or
// of the network.
func (f *frame) loopback() {
	if len(f.data) < 4 {
		f.short()
		return
	}
	family := binary.LittleEndian.Uint32(f.data)
	if family > 0xffff {
		family = binary.BigEndian.Uint32(f.data)
	}
	f.data = f.data[4:]
	f.family(family)
}

// family is a packet of an address family of some system.
func (f *frame) family(family uint32) {
	switch family {
	case 2:
		f.version = 4
	case 10, 23, 24, 26, 28, 30: // Linux, Windows, the BSDs, Solaris, FreeBSD, macOS
		f.version = 6
	default:
		f.none(fmt.Sprintf("address family %d", family))
	}
}

func (f *frame) ethernet() { f.behind(12, (*frame).etherType) }

// etherType is an EtherType, or the length of an LLC frame, and what follows it.
func (f *frame) etherType() {
	for {
		if len(f.data) < 2 {
			f.short()
			return
		}
		typ := be16(f.data)
		f.data = f.data[2:]
		switch {
		case typ <= 1500:
			f.llc()
			return
		case typ != etherVLAN && typ != etherQinQ && typ != 0x9100 && typ != 0x9200:
			f.ether(typ)
			return
		case len(f.data) < 4:
			f.short()
			return
		}
		f.data = f.data[2:] // the VLAN's number
	}
}

// ether is the payload of an EtherType.
func (f *frame) ether(typ uint16) {
	switch typ {
	case etherIPv4:
		f.version = 4
	case etherIPv6:
		f.version = 6
	case etherPPPoE:
		f.pppoe()
	case etherARP:
		f.none("ARP")
	case etherMPLS, etherMPLS + 1:
		f.none("MPLS")
	case etherLLDP:
		f.none("LLDP")
	case etherEAPoL:
		f.none("EAPOL")
	case etherPPPoE - 1:
		f.none("PPPoE discovery")
	default:
		f.none(fmt.Sprintf("EtherType 0x%04x", typ))
	}
}

// llc is a logical link control frame. With SNAP it has an EtherType.
func (f *frame) llc() {
	if len(f.data) >= 8 && f.data[0] == 0xaa && f.data[1] == 0xaa && f.data[2] == 3 {
		f.data = f.data[6:]
		typ := be16(f.data)
		f.data = f.data[2:]
		f.ether(typ)
		return
	}
	f.none("an LLC frame")
}

func (f *frame) pppoe() { f.behind(6, (*frame).ppp) }

func (f *frame) pppDirection() {
	if len(f.data) > 0 {
		f.direction = Incoming
		if f.data[0] != 0 {
			f.direction = Outgoing
		}
	}
	f.behind(1, (*frame).ppp)
}

// ppp is RFC 1661, with the address and control bytes of RFC 1662 or without.
func (f *frame) ppp() {
	if len(f.data) >= 2 && f.data[0] == 0xff && f.data[1] == 3 {
		f.data = f.data[2:]
	}
	if len(f.data) < 2 {
		f.short()
		return
	}
	protocol, n := be16(f.data), 2
	if f.data[0]&1 != 0 { // compressed to one byte
		protocol, n = uint16(f.data[0]), 1
	}
	f.data = f.data[n:]
	switch protocol {
	case 0x21:
		f.version = 4
	case 0x57:
		f.version = 6
	default:
		f.none(fmt.Sprintf("PPP protocol 0x%04x", protocol))
	}
}

// cooked is LINKTYPE_LINUX_SLL.
func (f *frame) cooked() {
	if len(f.data) < 16 {
		f.short()
		return
	}
	f.packetType(be16(f.data))
	f.data = f.data[14:]
	f.etherType()
}

// cooked2 is LINKTYPE_LINUX_SLL2.
func (f *frame) cooked2() {
	if len(f.data) < 20 {
		f.short()
		return
	}
	f.packetType(uint16(f.data[10]))
	typ := be16(f.data)
	f.data = f.data[20:]
	switch typ {
	case etherVLAN, etherQinQ:
		f.behind(2, (*frame).etherType)
	default:
		f.ether(typ)
	}
}

// packetType is sll_pkttype (packet(7)).
func (f *frame) packetType(typ uint16) {
	if f.direction = Incoming; typ == 4 {
		f.direction = Outgoing
	}
}

// pfLog is the header of OpenBSD's pflog(4).
func (f *frame) pfLog() {
	if len(f.data) < 61 {
		f.short()
		return
	}
	n, family := int(f.data[0]), uint32(f.data[1])
	f.iface = cString(f.data[4:20])
	switch f.data[60] {
	case 1:
		f.direction = Incoming
	case 2:
		f.direction = Outgoing
	}
	f.behind((n+3)&^3, func(f *frame) { f.family(family) })
}

// nfLog is LINKTYPE_NFLOG: attributes, of which one is the packet.
func (f *frame) nfLog() {
	const payload = 9
	if len(f.data) < 4 {
		f.short()
		return
	}
	family := uint32(f.data[0])
	for b := f.data[4:]; len(b) >= 4; {
		n, typ := int(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[2:])&0x7fff
		if n < 4 {
			break
		}
		if typ == payload {
			f.data = b[4:min(n, len(b))]
			f.family(family)
			return
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	f.none("an NFLOG record without a packet")
}

// cString returns a text up to its NUL.
func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
