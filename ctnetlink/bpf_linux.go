package ctnetlink

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// A classic BPF program on the listening socket sees each event, a datagram of
// its own, before it is queued. Two extensions of the kernel's walk its
// attributes: SKF_AD_NLATTR looks from offset A on for the attribute that X
// names, SKF_AD_NLATTR_NEST inside the one at A; both leave its offset in A, or
// 0 (linux/filter.h).

var (
	_ EventFilterer   = (*kernelSocket)(nil)
	_ ProgramFilterer = (*kernelSocket)(nil)
)

// FilterEvents implements EventFilterer. Events that were queued before are
// not looked at again.
func (s *kernelSocket) FilterEvents(q *EventFilter) error {
	p := eventProgram(q)
	if p == nil {
		return nil
	}
	return s.FilterProgram(p)
}

// FilterProgram implements ProgramFilterer. Events that were queued before are not
// looked at again.
func (s *kernelSocket) FilterProgram(p []bpf.Instruction) error {
	raw, err := bpf.Assemble(p)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	attached := unix.SockFprog{Len: uint16(len(filter)), Filter: unsafe.SliceData(filter)}
	return s.locked(func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &attached)
	})
}

const (
	bpfReject = 0
	bpfAccept = 0xffffffff // as much of the message as there is
)

// program is a BPF program under construction. Each check falls through where
// an event meets it and returns where it does not, so that no jump is longer
// than one instruction.
type program []bpf.Instruction

// eventProgram returns the program for what q compares; nil if that is
// nothing. It ends in acceptance.
func eventProgram(q *EventFilter) []bpf.Instruction {
	var p program
	if q.Family != FamilyAny {
		p.add(bpf.LoadAbsolute{Off: wire.HeaderLen, Size: 1}) // nfgen_family
		p.must(uint32(q.Family))
	}
	whole := len(p)
	// Every event has an original tuple. Where none is found the attributes
	// cannot be read here, and the event is the reader's to judge.
	p.attr(AttrTupleOrig)
	p.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1}, bpf.RetConstant{Val: bpfAccept})
	sane := len(p)
	if has := compared(&q.Orig); has != 0 {
		p.tuple(&q.Orig, has, q.OrigSrcMask, q.OrigDstMask)
	}
	if has := compared(&q.Reply); has != 0 {
		p.attr(AttrTupleReply)
		p.found()
		p.tuple(&q.Reply, has, q.ReplySrcMask, q.ReplyDstMask)
	}
	if q.StatusMask != 0 {
		p.masked(AttrStatus, uint32(q.Status), uint32(q.StatusMask))
	}
	if q.MarkMask != 0 {
		p.masked(AttrMark, q.Mark, q.MarkMask)
	}
	if len(p) == sane {
		p = p[:whole] // no attribute is compared
	}
	if len(p) == 0 {
		return nil
	}
	return append(p, bpf.RetConstant{Val: bpfAccept})
}

func (p *program) add(i ...bpf.Instruction) { *p = append(*p, i...) }

// must rejects the event unless A is v.
func (p *program) must(v uint32) {
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: 1}, bpf.RetConstant{Val: bpfReject})
}

// found rejects the event when a search ended in nothing.
func (p *program) found() {
	p.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1}, bpf.RetConstant{Val: bpfReject})
}

// attr searches the message for an attribute.
func (p *program) attr(a Attr) {
	p.add(
		bpf.LoadConstant{Dst: bpf.RegX, Val: uint32(a)},
		bpf.LoadConstant{Dst: bpf.RegA, Val: wire.HeadLen},
		bpf.LoadExtension{Num: bpf.ExtNetlinkAttr},
	)
}

// nested searches the attribute whose offset a scratch slot holds, and goes on
// only where there is one numbered typ in it.
func (p *program) nested(slot int, typ uint32) {
	p.add(
		bpf.LoadConstant{Dst: bpf.RegX, Val: typ},
		bpf.LoadScratch{Dst: bpf.RegA, N: slot},
		bpf.LoadExtension{Num: bpf.ExtNetlinkAttrNested},
	)
	p.found()
}

// payload loads a number from the attribute at X.
func (p *program) payload(off uint32, size int) {
	p.add(bpf.LoadIndirect{Off: wire.AttrHeaderLen + off, Size: size})
}

// masked compares an attribute's 32 bits under a mask.
func (p *program) masked(a Attr, v, mask uint32) {
	p.attr(a)
	p.found()
	p.add(bpf.TAX{})
	p.payload(0, 4)
	p.word(v, mask)
}

// word compares A under a mask.
func (p *program) word(v, mask uint32) {
	if mask != 0xffffffff {
		p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
	}
	p.must(v)
}

// Scratch slots that hold the offsets of a tuple and of the nest inside it.
const (
	slotTuple = iota
	slotNest
)

// compared returns those fields of a tuple that a program compares.
func compared(t *Tuple) Fields {
	has := t.Has &^ FieldZone
	if has&FieldProto == 0 || t.Proto != ProtoICMP && t.Proto != ProtoICMPv6 {
		has &^= FieldICMP // the attributes' numbers go with the protocol
	}
	return has
}

// tuple compares fields of the tuple at A.
func (p *program) tuple(t *Tuple, has Fields, srcMask, dstMask netip.Addr) {
	icmp := uint32(wire.ProtoICMPID)
	if t.Proto == ProtoICMPv6 {
		icmp = wire.ProtoICMPv6ID
	}
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: slotTuple})
	if has&^FieldAddrs != 0 {
		p.nested(slotTuple, wire.TupleProto)
		p.add(bpf.StoreScratch{Src: bpf.RegA, N: slotNest})
		for _, f := range []struct {
			field Fields
			typ   uint32
			size  int
			v     uint32
		}{
			{FieldProto, wire.ProtoNum, 1, uint32(t.Proto)},
			{FieldSrcPort, wire.ProtoSrcPort, 2, uint32(t.SrcPort)},
			{FieldDstPort, wire.ProtoDstPort, 2, uint32(t.DstPort)},
			{FieldICMPID, icmp, 2, uint32(t.ICMPID)},
			{FieldICMPType, icmp + 1, 1, uint32(t.ICMPType)},
			{FieldICMPCode, icmp + 2, 1, uint32(t.ICMPCode)},
		} {
			if has&f.field != 0 {
				p.nested(slotNest, f.typ)
				p.add(bpf.TAX{})
				p.payload(0, f.size)
				p.must(f.v)
			}
		}
	}
	if has&FieldAddrs != 0 {
		p.nested(slotTuple, wire.TupleIP)
		p.add(bpf.StoreScratch{Src: bpf.RegA, N: slotNest})
		if has&FieldSrc != 0 {
			p.addr(wire.IPv4Src, wire.IPv6Src, t.Src, srcMask)
		}
		if has&FieldDst != 0 {
			p.addr(wire.IPv4Dst, wire.IPv6Dst, t.Dst, dstMask)
		}
	}
}

// addr compares an address under a mask of its family; one that is invalid
// stands for all bits.
func (p *program) addr(typ4, typ6 uint32, a, mask netip.Addr) {
	typ := typ6
	if a.Is4() {
		typ = typ4
	}
	if !a.IsValid() || mask.IsValid() && mask.BitLen() != a.BitLen() {
		return // the reader's to judge
	}
	p.nested(slotNest, typ)
	p.add(bpf.TAX{})
	b, m := a.AsSlice(), mask.AsSlice()
	for off := 0; off < len(b); off += 4 {
		v, bits := binary.BigEndian.Uint32(b[off:]), uint32(0xffffffff)
		if m != nil {
			bits = binary.BigEndian.Uint32(m[off:])
		}
		if bits != 0 {
			p.payload(uint32(off), 4)
			p.word(v&bits, bits)
		}
	}
}
