package timo

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/ti-mo/conntrack"
)

// randomAddrs returns two addresses of a family. The first is different for
// every i.
func randomAddrs(r *rand.Rand, v6 bool, i int) (a, b netip.Addr) {
	if v6 {
		return netip.AddrFrom16([16]byte{0xfd, 12: byte(i >> 24), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}),
			netip.AddrFrom16([16]byte{0xfd, 1, 15: byte(r.Uint32())})
	}
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
		netip.AddrFrom4([4]byte{192, 0, 2, byte(r.Uint32())})
}

// reversed returns the reply tuple of an entry that is not translated.
func reversed(t conntrack.Tuple) conntrack.Tuple {
	t.IP.SourceAddress, t.IP.DestinationAddress = t.IP.DestinationAddress, t.IP.SourceAddress
	t.Proto.SourcePort, t.Proto.DestinationPort = t.Proto.DestinationPort, t.Proto.SourcePort
	switch {
	case t.Proto.ICMPv4:
		t.Proto.ICMPType = 0
	case t.Proto.ICMPv6:
		t.Proto.ICMPType = 129
	}
	return t
}

// randomTuple returns the original tuple of entry i.
func randomTuple(r *rand.Rand, v6 bool, i int) conntrack.Tuple {
	var t conntrack.Tuple
	t.IP.SourceAddress, t.IP.DestinationAddress = randomAddrs(r, v6, i)
	p := &t.Proto
	p.Protocol = []uint8{6, 17, 33, 132, 136, 47, 1, 58, 99}[r.IntN(9)]
	switch {
	case p.Protocol == 1 && v6, p.Protocol == 58 && !v6:
		p.Protocol = 6
	case p.Protocol == 1:
		p.ICMPv4, p.ICMPType, p.ICMPID = true, 8, uint16(r.Uint32())
		return t
	case p.Protocol == 58:
		p.ICMPv6, p.ICMPType, p.ICMPID = true, 128, uint16(r.Uint32())
		return t
	case p.Protocol == 99:
		return t
	}
	p.SourcePort, p.DestinationPort = uint16(r.Uint32())|1, uint16(r.Uint32())|1
	return t
}

// randomRequest returns entry i as a program would create it.
func randomRequest(r *rand.Rand, i int) conntrack.Flow {
	one := func(n int) bool { return r.IntN(n) == 0 }
	f := conntrack.Flow{
		TupleOrig: randomTuple(r, one(2), i),
		Timeout:   1000 + r.Uint32N(1000),
		Status:    conntrack.StatusConfirmed,
	}
	f.TupleReply = reversed(f.TupleOrig)
	if one(2) {
		f.Status |= conntrack.StatusSeenReply | conntrack.StatusAssured
	}
	if one(2) {
		f.Mark = r.Uint32()
	}
	if one(3) {
		f.Zone = uint16(r.Uint32())
	}
	if one(3) {
		f.Labels = make([]byte, 16)
		f.Labels[r.IntN(16)] = 1 << r.IntN(8)
	}
	switch f.TupleOrig.Proto.Protocol {
	case 6:
		f.ProtoInfo.TCP = &conntrack.ProtoInfoTCP{
			State: uint8(1 + r.IntN(8)), OriginalWindowScale: uint8(r.IntN(15)), ReplyWindowScale: uint8(r.IntN(15)),
			OriginalFlags: uint16(0x0a0a + 0x0101*r.IntN(2)), ReplyFlags: uint16(0x0808 + 0x0303*r.IntN(2)),
		}
		if one(4) {
			f.SynProxy = conntrack.SynProxy{ISN: r.Uint32(), ITS: r.Uint32(), TSOff: r.Uint32()}
		}
	case 132:
		f.ProtoInfo.SCTP = &conntrack.ProtoInfoSCTP{
			State: uint8(1 + r.IntN(7)), VTagOriginal: r.Uint32() | 1, VTagReply: r.Uint32() | 1,
		}
	}
	return f
}

// randomFlow returns entry i as a table sends it.
func randomFlow(r *rand.Rand, i int) conntrack.Flow {
	one := func(n int) bool { return r.IntN(n) == 0 }
	f := randomRequest(r, i)
	f.ID, f.Use = r.Uint32()|1, 1+r.Uint32N(2)
	if one(2) {
		f.CountersOrig = conntrack.Counter{Packets: r.Uint64(), Bytes: r.Uint64()}
		f.CountersReply = conntrack.Counter{Direction: true, Packets: r.Uint64N(2), Bytes: r.Uint64N(2)}
	}
	if one(2) {
		f.Timestamp.Start = time.Unix(0, r.Int64())
		if one(2) {
			f.Timestamp.Stop = time.Unix(0, r.Int64())
		}
	}
	if one(4) {
		f.Helper.Name = fmt.Sprint("helper-", r.IntN(9))
		if one(2) {
			f.Helper.Info = []byte{1, 2, byte(r.Uint32())}
		}
	}
	if one(4) {
		f.SecurityContext = "system_u:object_r:unlabeled_t:s0\x00"
	}
	if one(4) {
		f.SeqAdjOrig = conntrack.SequenceAdjust{Position: r.Uint32(), OffsetBefore: r.Uint32(), OffsetAfter: r.Uint32() | 1}
		f.SeqAdjReply = conntrack.SequenceAdjust{Direction: true, Position: r.Uint32() | 1}
	}
	if one(4) {
		f.TupleMaster = randomTuple(r, one(2), i)
	}
	if one(4) {
		f.TupleOrig.Zone, f.TupleReply.Zone = uint16(r.Uint32()), uint16(r.Uint32N(2))
	}
	if len(f.Labels) > 0 && one(3) {
		f.LabelsMask = make([]byte, 16)
	}
	if f.TupleOrig.Proto.Protocol == 33 {
		f.ProtoInfo.DCCP = &conntrack.ProtoInfoDCCP{State: uint8(r.IntN(9)), Role: uint8(r.IntN(2)), HandshakeSeq: r.Uint64()}
	}
	return f
}

// randomExpect returns an expectation as a table sends it.
func randomExpect(r *rand.Rand, i int) conntrack.Expect {
	v6 := r.IntN(2) == 0
	x := conntrack.Expect{
		ID: r.Uint32() | 1, Timeout: r.Uint32(), TupleMaster: randomTuple(r, v6, i), Tuple: randomTuple(r, v6, i),
		Zone: uint16(r.Uint32()), HelpName: "ftp", Flags: r.Uint32N(8), Class: r.Uint32N(2),
	}
	x.Mask = x.Tuple
	if r.IntN(2) == 0 {
		x.Function = "nat-follow-master"
		x.NAT = conntrack.ExpectNAT{Direction: r.IntN(2) == 0, Tuple: randomTuple(r, v6, i)}
	}
	return x
}
