package ctnetlink

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// ask sends one message of any content and returns the kernel's answer.
func ask(c *Conn, subsys, msg, flags uint16, family Family, body func(e *encoder)) error {
	e, h := c.request(subsys, msg, wire.FlagAck|flags)
	h.Family = family
	e.begin(h)
	body(e)
	e.End()
	return c.exchange(nil)
}

// askNew is ask for a NEW message: the request for en, and more behind it.
func askNew(c *Conn, flags uint16, en *FlowSpec, more func(e *encoder)) error {
	return ask(c, wire.SubsysConntrack, wire.MsgNew, flags, en.Family, func(e *encoder) {
		var body encoder
		en.append(&body, header{})
		e.B = append(e.B, body.B[wire.HeadLen:]...)
		if more != nil {
			more(e)
		}
	})
}

// kernelCreate and kernelUpdate are Conn.Create and Conn.Update without what these
// check and add.
func kernelCreate(c *Conn, en *FlowSpec) error {
	return askNew(c, wire.FlagCreate|wire.FlagExcl, en, nil)
}

func kernelUpdate(c *Conn, en *FlowSpec) error { return askNew(c, 0, en, nil) }

// answer is a request about an ordinary TCP entry that no other case has, and
// what the kernel says to it; 0 is success.
type answer struct {
	name string
	want Errno
	do   func(c *Conn, en *FlowSpec) error
}

func checkAnswers(t *testing.T, c *Conn, first int, answers []answer) {
	t.Helper()
	for i, a := range answers {
		err := a.do(c, benchEntry(first+i))
		got, ok := AsErrno(err)
		if got != a.want || err != nil && !ok {
			t.Errorf("%s: %v, want %v", a.name, err, a.want)
		}
	}
}

// creating is the creation of an entry after a change to it.
func creating(change func(en *FlowSpec)) func(*Conn, *FlowSpec) error {
	return func(c *Conn, en *FlowSpec) error { change(en); return kernelCreate(c, en) }
}

// creatingWith is a creation with more attributes than a FlowSpec has.
func creatingWith(more func(e *encoder)) func(*Conn, *FlowSpec) error {
	return func(c *Conn, en *FlowSpec) error { return askNew(c, wire.FlagCreate|wire.FlagExcl, en, more) }
}

// updating is a creation, a change, and the update to it.
func updating(change func(en *FlowSpec)) func(*Conn, *FlowSpec) error {
	return func(c *Conn, en *FlowSpec) error {
		if err := kernelCreate(c, en); err != nil {
			return err
		}
		change(en)
		return kernelUpdate(c, en)
	}
}

func proto(p Protocol, has Fields) func(en *FlowSpec) {
	return func(en *FlowSpec) {
		for _, t := range []*Tuple{&en.Orig, &en.Reply} {
			t.Proto, t.Has = p, FieldAddrs|FieldProto|has
		}
		en.Set &^= 1 << AttrProtoInfo
	}
}

func icmp(p Protocol, icmpType uint8, lacking Fields) func(en *FlowSpec) {
	return func(en *FlowSpec) {
		proto(p, FieldICMP)(en)
		en.Orig.ICMPType, en.Orig.ICMPID = icmpType, 7
		en.Reply = mirrored(en.Orig)
		en.Orig.Has &^= lacking
		if p == ProtoICMPv6 {
			en.Family = FamilyIPv6
			v6 := netip.MustParseAddr("fd00::1")
			en.Orig.Src, en.Orig.Dst, en.Reply.Src, en.Reply.Dst = v6, v6, v6, v6
		}
	}
}

func without(f Fields) func(en *FlowSpec) { return func(en *FlowSpec) { en.Orig.Has &^= f } }

func unset(a Attr) func(en *FlowSpec) { return func(en *FlowSpec) { en.Set &^= 1 << a } }

// TestAnswersNewTuples: which tuples the kernel takes.
func TestAnswersNewTuples(t *testing.T) {
	c := namespace(t)
	answers := []answer{
		{"nothing special", 0, creating(func(*FlowSpec) {})},
		{"no tuple, CREATE", EINVAL, creating(func(en *FlowSpec) { en.Orig.Has, en.Reply.Has = 0, 0 })},
		{"no tuple", ENOENT, func(c *Conn, en *FlowSpec) error { en.Orig.Has, en.Reply.Has = 0, 0; return kernelUpdate(c, en) }},
		{"only the original", EINVAL, creating(func(en *FlowSpec) { en.Reply.Has = 0 })},
		{"only the reply", EINVAL, creating(func(en *FlowSpec) { en.Orig.Has = 0 })},
		{"no timeout", EINVAL, creating(unset(AttrTimeout))},
		{"two protocols", EINVAL, creating(func(en *FlowSpec) { en.Reply.Proto = ProtoUDP })},
		{"family 3", EOPNOTSUPP, creating(func(en *FlowSpec) { en.Family = 3 })},
		{"family 0", EOPNOTSUPP, creating(func(en *FlowSpec) { en.Family = 0 })},
		{"the other family", EINVAL, creating(func(en *FlowSpec) { en.Family = FamilyIPv6 })},
		{"no addresses", EINVAL, creating(without(FieldAddrs))},
		{"no source", EINVAL, creating(without(FieldSrc))},
		{"no destination", EINVAL, creating(without(FieldDst))},
		{"no protocol", EINVAL, creating(without(FieldProto))},
		{"a protocol without number", EINVAL, func(c *Conn, en *FlowSpec) error {
			en.Orig.Has &^= FieldProto
			return ask(c, wire.SubsysConntrack, wire.MsgNew, wire.FlagCreate, FamilyIPv4, func(e *encoder) {
				tuple := e.Nest(uint16(AttrTupleOrig))
				e.Bytes(wire.TupleIP|wire.AttrNested, append(attribute(wire.IPv4Src, -1, 10, 0, 0, 1), attribute(wire.IPv4Dst, -1, 10, 0, 0, 2)...))
				e.Bytes(wire.TupleProto|wire.AttrNested, attribute(wire.ProtoSrcPort, -1, 0, 1))
				e.Close(tuple)
				e.tuple(uint16(AttrTupleReply), &en.Reply)
				e.U32(uint16(AttrTimeout), 10)
			})
		}},
		{"icmp in family 10", 0, creating(func(en *FlowSpec) {
			icmp(ProtoICMPv6, 128, 0)(en)
			en.Orig.Proto, en.Orig.ICMPType, en.Reply.Proto, en.Reply.ICMPType = ProtoICMP, 8, ProtoICMP, 0
		})},
		{"an unrelated reply", 0, creating(func(en *FlowSpec) { en.Reply.Dst = netip.MustParseAddr("203.0.113.7") })},
		{"the reply is the original", 0, creating(func(en *FlowSpec) { en.Reply = en.Orig })},
		{"ports 0", 0, creating(func(en *FlowSpec) { en.Orig.SrcPort, en.Orig.DstPort, en.Reply.SrcPort, en.Reply.DstPort = 0, 0, 0, 0 })},
		{"addresses 0", 0, creating(func(en *FlowSpec) {
			zero := netip.AddrFrom4([4]byte{})
			en.Orig.Src, en.Orig.Dst, en.Reply.Src, en.Reply.Dst = zero, zero, zero, zero
		})},
	}
	for _, p := range []Protocol{ProtoTCP, ProtoUDP, ProtoSCTP, ProtoUDPLite, ProtoGRE} {
		name := p.Name()
		answers = append(answers,
			answer{name, 0, creating(proto(p, FieldPorts))},
			answer{name + " without source port", EINVAL, creating(proto(p, FieldDstPort))},
			answer{name + " without destination port", EINVAL, creating(proto(p, FieldSrcPort))})
	}
	for _, p := range []Protocol{0, ProtoDCCP, 99, 255} {
		answers = append(answers, answer{"a protocol without ports", 0, creating(proto(p, 0))},
			answer{"its ports are ignored", EEXIST, func(c *Conn, en *FlowSpec) error {
				proto(p, FieldPorts)(en)
				if err := kernelCreate(c, en); err != nil {
					return err
				}
				en.Orig.SrcPort++
				en.Reply.DstPort++
				return kernelCreate(c, en)
			}})
	}
	good := map[Protocol][]uint8{ProtoICMP: {0, 8, 13, 14, 15, 16, 17, 18}, ProtoICMPv6: {128, 129, 139, 140}}
	for p, types := range good {
		for _, icmpType := range types {
			answers = append(answers, answer{"query", 0, func(c *Conn, en *FlowSpec) error {
				icmp(p, icmpType, 0)(en)
				// ICMPv6 cases share their addresses, and an answer's tuple is the query's reply.
				en.Orig.ICMPID = uint16(icmpType)
				en.Reply.ICMPID = en.Orig.ICMPID
				return kernelCreate(c, en)
			}})
		}
		for _, f := range []Fields{FieldICMPID, FieldICMPType, FieldICMPCode} {
			answers = append(answers, answer{"query lacking a field", EINVAL, creating(icmp(p, types[1], f))})
		}
		for _, icmpType := range []uint8{1, 3, 5, 19, 127, 130, 255} {
			answers = append(answers, answer{"no query", EINVAL, creating(icmp(p, icmpType, 0))})
		}
	}
	checkAnswers(t, c, 1, answers)
}

// TestAnswersNewExisting: how creations and updates meet what is there.
func TestAnswersNewExisting(t *testing.T) {
	c := namespace(t)
	swapped := func(en *FlowSpec) { en.Orig, en.Reply = en.Reply, en.Orig }
	again := func(change func(en *FlowSpec)) func(*Conn, *FlowSpec) error {
		return func(c *Conn, en *FlowSpec) error {
			if err := kernelCreate(c, en); err != nil {
				return err
			}
			change(en)
			return kernelCreate(c, en)
		}
	}
	checkAnswers(t, c, 1000, []answer{
		{"EXCL", EEXIST, again(func(*FlowSpec) {})},
		{"EXCL without CREATE", EEXIST, func(c *Conn, en *FlowSpec) error {
			_ = kernelCreate(c, en)
			return askNew(c, wire.FlagExcl, en, nil)
		}},
		{"CREATE without EXCL updates", 0, func(c *Conn, en *FlowSpec) error {
			_ = kernelCreate(c, en)
			return askNew(c, wire.FlagCreate, en, nil)
		}},
		{"CREATE without EXCL creates", 0, func(c *Conn, en *FlowSpec) error { return askNew(c, wire.FlagCreate, en, nil) }},
		{"the other way round", EEXIST, again(swapped)},
		{"original taken", EEXIST, again(func(en *FlowSpec) { en.Reply.Dst = netip.MustParseAddr("203.0.113.1") })},
		{"reply taken", EEXIST, again(func(en *FlowSpec) { en.Orig.Src = netip.MustParseAddr("203.0.113.2") })},
		{"another zone", 0, again(func(en *FlowSpec) { en.Zone, en.Set = 4, en.Set.With(AttrZone) })},
		{"update of none", ENOENT, func(c *Conn, en *FlowSpec) error { return kernelUpdate(c, en) }},
		{"get of none", ENOENT, func(c *Conn, en *FlowSpec) error { _, err := c.Get(en); return err }},
		{"delete of none", ENOENT, func(c *Conn, en *FlowSpec) error { return c.Delete(en) }},
		{"update in another zone", ENOENT, updating(func(en *FlowSpec) { en.Zone, en.Set = 4, en.Set.With(AttrZone) })},
		{"update by the reply", 0, updating(func(en *FlowSpec) { en.Orig.Has = 0 })},
		{"update by the reply as original", 0, updating(func(en *FlowSpec) { en.Orig = en.Reply; en.Reply.Has = 0 })},
		{"update by a tuple alone", 0, updating(func(en *FlowSpec) { en.Set = 0 })},
		{"update in family 3", EOPNOTSUPP, updating(func(en *FlowSpec) { en.Family = 3 })},
		{"update in the other family", EINVAL, updating(func(en *FlowSpec) { en.Family = FamilyIPv6 })},
		{"delete in family 3", EOPNOTSUPP, func(c *Conn, en *FlowSpec) error { _ = kernelCreate(c, en); en.Family = 3; return c.Delete(en) }},
		{"delete by another id", ENOENT, func(c *Conn, en *FlowSpec) error {
			_ = kernelCreate(c, en)
			f, err := c.Get(en)
			if err != nil {
				return err
			}
			en.Identify(f)
			en.ID++
			return c.Delete(en)
		}},
		{"an id in an update is ignored", 0, updating(func(en *FlowSpec) { en.ID, en.Set = 1, en.Set.With(AttrID) })},
		{"NAT in an update", EOPNOTSUPP, updating(func(en *FlowSpec) { en.Set = en.Set.With(AttrNATSrc) })},
		{"master in an update", EOPNOTSUPP, updating(func(en *FlowSpec) { en.Set, en.Master = en.Set.With(AttrTupleMaster), en.Orig })},
		{"a zone, and one in a tuple", EINVAL, creating(func(en *FlowSpec) {
			en.Zone, en.Set = 1, en.Set.With(AttrZone)
			en.Orig.Zone, en.Orig.Has = 1, en.Orig.Has|FieldZone
		})},
		{"zones in both tuples", EINVAL, creating(func(en *FlowSpec) {
			en.Orig.Zone, en.Orig.Has = 1, en.Orig.Has|FieldZone
			en.Reply.Zone, en.Reply.Has = 1, en.Reply.Has|FieldZone
		})},
		{"master not found", ENOENT, creating(func(en *FlowSpec) {
			en.Set, en.Master = en.Set.With(AttrTupleMaster), benchEntry(1<<20).Orig
		})},
		{"its own master", ENOENT, creating(func(en *FlowSpec) { en.Set, en.Master = en.Set.With(AttrTupleMaster), en.Orig })},
		{"master", 0, func(c *Conn, en *FlowSpec) error {
			master := benchEntry(900)
			if err := kernelCreate(c, master); err != nil {
				return err
			}
			en.Set, en.Master = en.Set.With(AttrTupleMaster), master.Orig
			if err := kernelCreate(c, en); err != nil {
				return err
			}
			f, err := c.Get(en)
			status, _ := f.Status()
			if m, ok := f.Master(); !ok || m != master.Orig || status&StatusExpected == 0 {
				t.Errorf("master %+v, status %x", m, status)
			}
			return err
		}},
	})
}

// TestAnswersMessages: what is not a request of either subsystem.
func TestAnswersMessages(t *testing.T) {
	c := namespace(t)
	nothing := func(*encoder) {}
	for _, tt := range []struct {
		subsys, msg uint16
		want        Errno
	}{
		{wire.SubsysConntrack, 8, EINVAL}, {wire.SubsysConntrack, 255, EINVAL}, {wire.SubsysExpect, 9, EINVAL}, {200, 0, EINVAL},
		{wire.SubsysConntrack, wire.MsgGetStatsCPU, 0}, // without DUMP: only the acknowledgement
		{0, 9, 0}, // a control message is not executed
	} {
		err := ask(c, tt.subsys, tt.msg, 0, FamilyAny, nothing)
		if got, _ := AsErrno(err); got != tt.want {
			t.Errorf("subsystem %d message %d: %v, want %v", tt.subsys, tt.msg, err, tt.want)
		}
	}
	if err := ask(c, wire.SubsysConntrack, wire.MsgGet, 0, FamilyIPv4, nothing); err != EINVAL {
		t.Error("get without tuple:", err)
	}
	// Without NLM_F_REQUEST it is acknowledged and not executed.
	en := benchEntry(1)
	e, h := c.request(wire.SubsysConntrack, wire.MsgNew, wire.FlagAck|wire.FlagCreate)
	en.append(e, h)
	binary.NativeEndian.PutUint16(e.B[6:], wire.FlagAck|wire.FlagCreate)
	if err := c.exchange(nil); err != nil {
		t.Error("no request:", err)
	}
	if _, err := c.Get(en); err == nil {
		t.Error("it was executed")
	}
}
