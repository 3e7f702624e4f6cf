package action

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// randomEntries returns messages of entries such as tables hold: both
// families, several protocols, some translated, some with counters, few
// different values of everything so that groups fill.
func randomEntries(r *rand.Rand, n int, accounting bool) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = randomEntry(r, accounting)
	}
	return list
}

func randomEntry(r *rand.Rand, accounting bool) []byte {
	pick := func(n int) int { return r.IntN(n) }
	addr := func(v6 bool) netip.Addr {
		if v6 {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(pick(2)), 7: byte(pick(3)), 15: byte(pick(4))})
		}
		return netip.AddrFrom4([4]byte{10, byte(pick(2)), byte(pick(3)), byte(pick(5))})
	}
	v6 := pick(3) == 0
	en := ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4}
	if v6 {
		en.Family = ctnetlink.FamilyIPv6
	}
	o := ctnetlink.Tuple{Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto, Src: addr(v6), Dst: addr(v6)}
	switch o.Proto = []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoICMP, ctnetlink.ProtoSCTP, ctnetlink.ProtoGRE, 99}[pick(6)]; {
	case o.Proto.HasPorts():
		o.Has |= ctnetlink.FieldPorts
		o.SrcPort, o.DstPort = uint16(1000+pick(300)), uint16(pick(2)*8000+pick(3))
	case o.Proto == ctnetlink.ProtoICMP:
		o.Has |= ctnetlink.FieldICMP
		o.ICMPType, o.ICMPID = 8, uint16(pick(9))
	case o.Proto == ctnetlink.ProtoGRE:
		o.Has |= ctnetlink.FieldPorts
		o.SrcPort, o.DstPort = uint16(pick(3)), uint16(pick(3))
	}
	en.Orig, en.Reply = o, o
	en.Reply.Src, en.Reply.Dst = o.Dst, o.Src
	en.Reply.SrcPort, en.Reply.DstPort = o.DstPort, o.SrcPort
	en.Set = 1<<ctnetlink.AttrStatus | 1<<ctnetlink.AttrTimeout | 1<<ctnetlink.AttrID
	en.Status = ctnetlink.StatusConfirmed | ctnetlink.StatusSrcNATDone | ctnetlink.StatusDstNATDone
	en.Timeout, en.ID = time.Duration(pick(500))*time.Second, r.Uint32()
	if pick(3) == 0 {
		en.Reply.Dst = addr(v6)
	}
	if pick(3) == 0 {
		en.Reply.Src = addr(v6)
	}
	if pick(4) > 0 {
		en.Set |= 1 << ctnetlink.AttrMark
		en.Mark = uint32(pick(3)) << (8 * pick(4))
	}
	switch pick(4) {
	case 0:
		en.Set |= 1 << ctnetlink.AttrZone
		en.Zone = uint16(pick(300))
	case 1:
		en.Orig.Zone, en.Orig.Has = uint16(pick(300)), en.Orig.Has|ctnetlink.FieldZone
	}
	if o.Proto == ctnetlink.ProtoTCP || o.Proto == ctnetlink.ProtoSCTP {
		en.Set |= 1 << ctnetlink.AttrProtoInfo
		en.ProtoInfo = ctnetlink.ProtoInfo{
			Proto: o.Proto,
			Has:   ctnetlink.InfoState,
			State: ctnetlink.NewState(o.Proto, uint8(pick(12))),
		}
	}
	if pick(5) == 0 {
		en.Set |= 1 << ctnetlink.AttrHelp
		en.Helper = []string{"ftp", "sip", "h\x01\xff,"}[pick(3)]
	}
	if pick(4) == 0 {
		en.Set |= 1 << ctnetlink.AttrLabels
		en.Labels = make([]byte, 4+12*pick(2))
		en.Labels.Set(pick(32))
	}
	msg := en.AppendMessage(nil)
	if accounting && pick(4) > 0 {
		msg = appendCounters(msg, ctnetlink.AttrCountersOrig, uint64(pick(1000)), r.Uint64()>>(24+pick(40)))
		msg = appendCounters(msg, ctnetlink.AttrCountersReply, uint64(pick(1000)), r.Uint64()>>(24+pick(40)))
	}
	return msg
}

// appendCounters appends the attribute that an entry made by hand never has.
func appendCounters(msg []byte, attr ctnetlink.Attr, packets, bytes uint64) []byte {
	msg = binary.NativeEndian.AppendUint16(msg, 4+2*12)
	msg = binary.NativeEndian.AppendUint16(msg, uint16(attr)|1<<15)
	for i, v := range []uint64{packets, bytes} {
		msg = binary.NativeEndian.AppendUint16(msg, 12)
		msg = binary.NativeEndian.AppendUint16(msg, uint16(i+1))
		msg = binary.BigEndian.AppendUint64(msg, v)
	}
	binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
	return msg
}

// flows calls each with a view of every message.
func flows(t testing.TB, messages [][]byte, each func(f *ctnetlink.Flow)) {
	t.Helper()
	var f ctnetlink.Flow
	for _, msg := range messages {
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		each(&f)
	}
}

// seeded returns a source of random numbers.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
