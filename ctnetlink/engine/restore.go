package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// ErrEnded is what [Table.Restore] returns for an entry or expectation whose
// timeout has passed.
var ErrEnded = errors.New("it has timed out")

// Restore adds an entry or an expectation from the NEW message of a dump,
// including what a request could not set: id, status, counters, time stamps.
// Its timeout is reduced by age, the time since the dump. If nothing is left of
// it, nothing is added and the error is [ErrEnded]. No events are sent, and the
// limit of Options.Max does not apply.
//
// Other errors leave the table unchanged too: a malformed message
// ([ctnetlink.ErrMalformed]), a tuple that is taken (EEXIST). What the engine does
// not know, such as a helper that is not part of Linux or an attribute of a later
// version, is kept and sent as it came. An expectation's master must be restored
// before it. The message is not retained.
func (t *Table) Restore(msg []byte, age time.Duration) error {
	t.lock()
	defer t.unlock()
	if len(msg) < wire.HeadLen || uint64(binary.NativeEndian.Uint32(msg)) != uint64(len(msg)) {
		return ctnetlink.ErrMalformed
	}
	m := wire.Message(msg)
	switch typ := m.Type(); typ {
	case typeNew:
		return t.restoreEntry(ctnetlink.Family(m.Family()), m.Payload(), tick(age/tickLen))
	case wire.SubsysExpect<<8 | wire.MsgNew:
		switch no := t.restoreExpect(ctnetlink.Family(m.Family()), m.Payload(), age); no {
		case 0:
			return nil
		case ctnetlink.ETIME:
			return ErrEnded
		default:
			return no
		}
	default:
		return fmt.Errorf("%w: its type is %#x", ctnetlink.ErrMalformed, typ)
	}
}

// malformed returns an error that names the part of a message that cannot be
// read.
func malformed(attr string) error { return fmt.Errorf("%w: %s", ctnetlink.ErrMalformed, attr) }

func (t *Table) restoreEntry(family ctnetlink.Family, b []byte, age tick) error {
	var a entryAttrs
	known := true
	w := wire.Attrs{B: b}
	for w.Next() {
		if int(w.Type) < len(a) {
			a[w.Type] = w.Val
		}
		known = known && knownAttrs.Has(ctnetlink.Attr(w.Type))
	}
	if w.Malformed || len(w.B) > 0 {
		return malformed("the length of an attribute")
	}
	var e entry
	var x extension
	if !known {
		unknown := unknownAttrs(b)
		if len(unknown) > longestOpaque {
			return malformed("attributes that are not known")
		}
		x.keep().unknown = unknown
		e.has |= hasExtension
	}
	e.zone = defaultZone
	for d := range direction(2) {
		val := a[ctnetlink.AttrTupleOrig+ctnetlink.Attr(d)]
		if val == nil {
			return malformed("a tuple is missing")
		}
		var no errno
		if e.tuples[d], no = restoreTuple(val, family, d, &e.zone); no != 0 {
			return malformed("a tuple")
		}
	}
	if e.tuples[original].proto != e.tuples[reply].proto {
		return malformed("the tuples have two protocols")
	}
	for _, n := range []struct {
		attr ctnetlink.Attr
		to   *uint32
	}{{ctnetlink.AttrStatus, (*uint32)(&e.status)}, {ctnetlink.AttrMark, &e.mark}, {ctnetlink.AttrID, &e.id}} {
		if val := a[n.attr]; val != nil {
			if len(val) < 4 {
				return malformed("a number")
			}
			*n.to = binary.BigEndian.Uint32(val)
		}
	}
	e.deadline = never
	if val := a[ctnetlink.AttrTimeout]; val != nil {
		if len(val) < 4 {
			return malformed("the timeout")
		}
		if e.deadline = t.now.after(binary.BigEndian.Uint32(val)) - age; e.expired(t.now) {
			return ErrEnded
		}
		e.has |= hasTimeout
	}
	if val := a[ctnetlink.AttrZone]; val != nil {
		if len(val) < 2 || e.zone != defaultZone {
			return malformed("the zone")
		}
		e.zone.id = binary.BigEndian.Uint16(val)
	}
	if err := e.restoreCounters(&a); err != nil {
		return err
	}
	if err := t.restoreState(&e, &x, &a, family); err != nil {
		return err
	}
	e.has |= t.features() & hasEvents
	return t.insertRestored(&e, &x)
}

// unknownAttrs returns a copy of the attributes that are not known, with their
// headers and padding.
func unknownAttrs(b []byte) (unknown []byte) {
	w := wire.Attrs{B: b}
	for rest := b; w.Next(); rest = w.B {
		if !knownAttrs.Has(ctnetlink.Attr(w.Type)) {
			unknown = append(unknown, rest[:len(rest)-len(w.B)]...)
			for len(unknown)%4 != 0 {
				unknown = append(unknown, 0)
			}
		}
	}
	return unknown
}

// insertRestored adds a restored entry to the table.
func (t *Table) insertRestored(e *entry, x *extension) error {
	if t.find(&e.tuples[original], e.zone, original) != nil || t.find(&e.tuples[reply], e.zone, reply) != nil {
		return ctnetlink.EEXIST
	}
	if e.id == 0 {
		e.id = t.newID()
	}
	at := t.slabs.alloc()
	e.slot = at.slot
	*at = *e
	if at.has&hasExtension != 0 {
		own := *x
		t.ext.set(at.slot, &own)
		if own.master != nil {
			own.master.retain()
		}
	}
	t.add(at)
	return nil
}

// restoreTuple reads a tuple of a dump. Unlike a request's it may have ports
// for DCCP, which older kernels tracked.
func restoreTuple(val []byte, family ctnetlink.Family, d direction, z *zone) (tuple, errno) {
	tp, no := parseTuple(val, family, d, z)
	if no != 0 || tp.proto != ctnetlink.ProtoDCCP {
		return tp, no
	}
	var tb [4][]byte
	var ports [10][]byte
	_ = parse(val, tb[:], nil)
	if no := parse(tb[wire.TupleProto], ports[:], portPolicy); no != 0 {
		return tp, no
	}
	if src, dst := ports[wire.ProtoSrcPort], ports[wire.ProtoDstPort]; src != nil && dst != nil {
		tp.sport, tp.dport = binary.BigEndian.Uint16(src), binary.BigEndian.Uint16(dst)
	}
	return tp, 0
}

// restoreCounters reads the counters and the time stamp.
func (e *entry) restoreCounters(a *entryAttrs) error {
	for d := range direction(2) {
		val := a[ctnetlink.AttrCountersOrig+ctnetlink.Attr(d)]
		if val == nil {
			continue
		}
		var tb [3][]byte
		if parse(val, tb[:], policy{wire.CountersPackets: u64, wire.CountersBytes: u64}) != 0 {
			return malformed("the counters")
		}
		e.has |= hasCounters
		if v := tb[wire.CountersPackets]; v != nil {
			e.counters[d].packets = binary.BigEndian.Uint64(v)
		}
		if v := tb[wire.CountersBytes]; v != nil {
			e.counters[d].bytes = binary.BigEndian.Uint64(v)
		}
	}
	if val := a[ctnetlink.AttrTimestamp]; val != nil {
		var tb [3][]byte
		if parse(val, tb[:], policy{wire.TimestampStart: u64}) != 0 || tb[wire.TimestampStart] == nil {
			return malformed("the time stamp")
		}
		e.has |= hasTimes
		e.start = int64(binary.BigEndian.Uint64(tb[wire.TimestampStart]))
	}
	return nil
}

// longestOpaque bounds attributes that are kept without being parsed, in bytes.
const longestOpaque = 4096

// knownAttrs are the attributes of a dump that an entry is restored from. CTA_USE
// counts references, which are not restored.
const knownAttrs ctnetlink.AttrSet = 1<<ctnetlink.AttrTupleOrig | 1<<ctnetlink.AttrTupleReply | 1<<ctnetlink.AttrStatus |
	1<<ctnetlink.AttrProtoInfo | 1<<ctnetlink.AttrHelp | 1<<ctnetlink.AttrTimeout | 1<<ctnetlink.AttrMark |
	1<<ctnetlink.AttrCountersOrig | 1<<ctnetlink.AttrCountersReply | 1<<ctnetlink.AttrUse | 1<<ctnetlink.AttrID |
	1<<ctnetlink.AttrTupleMaster | 1<<ctnetlink.AttrSeqAdjOrig | 1<<ctnetlink.AttrSeqAdjReply |
	1<<ctnetlink.AttrZone | 1<<ctnetlink.AttrSecCtx | 1<<ctnetlink.AttrTimestamp | 1<<ctnetlink.AttrLabels |
	1<<ctnetlink.AttrSynproxy

// restoreState reads the protocol state and the fields of the extension.
func (t *Table) restoreState(e *entry, x *extension, a *entryAttrs, family ctnetlink.Family) error {
	if val := a[ctnetlink.AttrProtoInfo]; val != nil {
		if err := e.restoreProtoInfo(x, val); err != nil {
			return err
		}
	}
	if val := a[ctnetlink.AttrHelp]; val != nil {
		name, no := parseHelp(val)
		if no != 0 {
			return malformed("the helper")
		}
		if len(val) > longestOpaque {
			return malformed("the helper")
		}
		if name != "" {
			x.helper = t.restoredHelper(name, family, e.protocol())
		}
		if len(val) > wire.AttrHeaderLen+wire.Align(len(name)+1) {
			x.keep().help = append([]byte{}, val...)
		}
		x.hasHelp, x.ftp.pickup = true, [2]bool{true, true}
		e.has |= hasExtension
	}
	if val := a[ctnetlink.AttrLabels]; val != nil {
		if len(val) > longestOpaque {
			return malformed("the labels")
		}
		if n := copy(x.labels[:], val); n < len(val) {
			x.keep().moreLabels = append([]byte{}, val[n:]...)
		}
		e.has |= hasExtension
	}
	if val := a[ctnetlink.AttrTupleMaster]; val != nil {
		want, no := restoreTuple(val, family, original, new(zone))
		if no != 0 {
			return malformed("the master")
		}
		if m := t.lookup(&want, e.zone); m != nil {
			x.master = t.masterOf(m)
		} else {
			x.master = &master{tuple: want}
		}
		e.has |= hasExtension
	}
	if val := a[ctnetlink.AttrSecCtx]; val != nil {
		if len(val) > longestOpaque {
			return malformed("the security context")
		}
		x.keep().secCtx = append([]byte{}, val...)
		e.has |= hasExtension
	}
	return restoreNumbers(e, x, a)
}

// restoreNumbers reads the sequence adjustments and the SYNPROXY numbers.
func restoreNumbers(e *entry, x *extension, a *entryAttrs) error {
	for d := range direction(2) {
		if val := a[ctnetlink.AttrSeqAdjOrig+ctnetlink.Attr(d)]; val != nil {
			n, ok := threeU32(val)
			if !ok {
				return malformed("the sequence adjustment")
			}
			x.seqAdj[d] = seqAdj{n[0], n[1], n[2]}
			e.has |= hasExtension
		}
	}
	if val := a[ctnetlink.AttrSynproxy]; val != nil {
		n, ok := threeU32(val)
		if !ok {
			return malformed("the SYNPROXY numbers")
		}
		e.has |= hasSynproxy
		if n != [3]uint32{} {
			x.synproxy = n
			e.has |= hasExtension
		}
	}
	return nil
}

// threeU32 reads attributes 1 to 3, numbers of 32 bits, of a nest.
func threeU32(val []byte) (n [3]uint32, ok bool) {
	var tb [4][]byte
	if parse(val, tb[:], seqAdjPolicy) != 0 {
		return n, false
	}
	for i := range n {
		if tb[i+1] == nil {
			return n, false
		}
		n[i] = binary.BigEndian.Uint32(tb[i+1])
	}
	return n, true
}

func (e *entry) restoreProtoInfo(x *extension, val []byte) error {
	var tb [4][]byte
	if parse(val, tb[:], infoPolicy) != 0 {
		return malformed("the protocol state")
	}
	var no errno
	switch proto := e.protocol(); {
	case proto == ctnetlink.ProtoTCP:
		no = e.proto.restoreTCP(tb[wire.InfoTCP])
	case proto == ctnetlink.ProtoSCTP:
		no = e.proto.restoreSCTP(tb[wire.InfoSCTP])
	case len(val) > longestOpaque:
		return malformed("the protocol state")
	default:
		x.keep().protoInfo = append([]byte{}, val...)
		e.has |= hasExtension
	}
	if no != 0 {
		return malformed("the protocol state")
	}
	return nil
}

// restoreTCP reads the TCP state in a dump: flags have no mask, and window
// scales are valid whatever the flags are. A state may be one that a request
// could not set, as those of other versions of the kernel are.
func (p *protoState) restoreTCP(val []byte) errno {
	var tb [6][]byte
	if no := parse(val, tb[:], policy{u8, u8, u8, u8, u8, u8}); no != 0 {
		return no
	}
	if v := tb[wire.InfoTCPState]; v != nil {
		p.state = v[0]
	}
	for d := range direction(2) {
		if v := tb[wire.InfoTCPWScaleOrig+d]; v != nil {
			p.wscale[d] = v[0]
		}
		if v := tb[wire.InfoTCPFlagsOrig+d]; v != nil {
			p.flags[d] = v[0]
		}
	}
	return 0
}

// restoreSCTP reads the SCTP state in a dump, which may be one that a request
// could not set.
func (p *protoState) restoreSCTP(val []byte) errno {
	var tb [4][]byte
	if no := parse(val, tb[:], policy{u8, u8, u32, u32}); no != 0 {
		return no
	}
	if v := tb[wire.InfoSCTPState]; v != nil {
		p.state = v[0]
	}
	for d := range direction(2) {
		if v := tb[wire.InfoSCTPVTagOrig+d]; v != nil {
			p.vtag[d] = binary.BigEndian.Uint32(v)
		}
	}
	return 0
}
