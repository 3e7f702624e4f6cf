package engine

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// answerTo holds what the header of an answer copies from the request, and how
// the entry is shown.
type answerTo struct {
	flags  uint16
	seq    uint32
	portID uint32
	zeroes bool   // reset the counters after showing them
	use    uint32 // CTA_USE, without the entries that refer to this one
}

const typeNew = wire.SubsysConntrack<<8 | wire.MsgNew

// putEntry appends the message of an entry in a dump or an answer to GET
// (ctnetlink_fill_info).
func (t *Table) putEntry(w *wire.Builder, e *entry, to answerTo) {
	w.Begin(typeNew, to.flags, to.seq, to.portID, uint8(e.family()), 0, 0)
	t.putTuples(w, e)
	w.U32(uint16(ctnetlink.AttrStatus), uint32(e.status))
	w.U32(uint16(ctnetlink.AttrMark), e.mark)
	x := t.extension(e)
	if x != nil && x.kept != nil && x.kept.secCtx != nil {
		w.Bytes(uint16(ctnetlink.AttrSecCtx)|wire.AttrNested, x.kept.secCtx)
	}
	w.U32(uint16(ctnetlink.AttrID), e.id)
	w.U32(uint16(ctnetlink.AttrUse), to.use+e.refs)
	if x != nil {
		x.putMaster(w)
	}
	if e.has&hasTimeout != 0 {
		w.U32(uint16(ctnetlink.AttrTimeout), e.remaining(t.now))
		e.putProtoInfo(w, x, false)
	}
	e.putCounters(w)
	if to.zeroes {
		e.counters = [2]counter{}
	}
	e.putTimes(w, 0)
	if x != nil {
		x.putHelper(w)
		x.putLabels(w)
		x.putSeqAdj(w, e)
	}
	e.putSynproxy(w, x)
	if x != nil && x.kept != nil {
		w.B = append(w.B, x.kept.unknown...)
	}
	w.End()
}

// putTuples appends both tuples, and the zone inside or after them.
func (t *Table) putTuples(w *wire.Builder, e *entry) {
	for d := range direction(2) {
		var id uint16
		if e.zone.dirs == 1<<d {
			id = e.zone.id
		}
		e.tuples[d].put(w, uint16(ctnetlink.AttrTupleOrig)+uint16(d), id)
	}
	if e.zone.id != 0 && e.zone.dirs == defaultZone.dirs {
		w.U16(uint16(ctnetlink.AttrZone), e.zone.id)
	}
}

// putProtoInfo appends the protocol state, which is shorter for a removed
// entry.
func (e *entry) putProtoInfo(w *wire.Builder, x *extension, gone bool) {
	p := &e.proto
	switch e.protocol() {
	case ctnetlink.ProtoTCP:
		mark := w.Nest(uint16(ctnetlink.AttrProtoInfo))
		in := w.Nest(wire.InfoTCP)
		w.U8(wire.InfoTCPState, p.state)
		if !gone {
			w.U8(wire.InfoTCPWScaleOrig, p.wscale[original])
			w.U8(wire.InfoTCPWScaleReply, p.wscale[reply])
			w.Bytes(wire.InfoTCPFlagsOrig, []byte{p.flags[original], 0})
			w.Bytes(wire.InfoTCPFlagsReply, []byte{p.flags[reply], 0})
		}
		w.Close(in)
		w.Close(mark)
	case ctnetlink.ProtoSCTP:
		mark := w.Nest(uint16(ctnetlink.AttrProtoInfo))
		in := w.Nest(wire.InfoSCTP)
		w.U8(wire.InfoSCTPState, p.state)
		if !gone {
			w.U32(wire.InfoSCTPVTagOrig, p.vtag[original])
			w.U32(wire.InfoSCTPVTagReply, p.vtag[reply])
		}
		w.Close(in)
		w.Close(mark)
	default:
		if x != nil && x.kept != nil && x.kept.protoInfo != nil {
			w.Bytes(uint16(ctnetlink.AttrProtoInfo)|wire.AttrNested, x.kept.protoInfo)
		}
	}
}

func (e *entry) putCounters(w *wire.Builder) {
	if e.has&hasCounters == 0 {
		return
	}
	for d, c := range e.counters {
		mark := w.Nest(uint16(ctnetlink.AttrCountersOrig) + uint16(d))
		w.U64(wire.CountersPackets, c.packets)
		w.U64(wire.CountersBytes, c.bytes)
		w.Close(mark)
	}
}

// putTimes appends the start time, and the stop time unless it is 0.
func (e *entry) putTimes(w *wire.Builder, stop int64) {
	if e.has&hasTimes == 0 {
		return
	}
	mark := w.Nest(uint16(ctnetlink.AttrTimestamp))
	w.U64(wire.TimestampStart, uint64(e.start))
	if stop != 0 {
		w.U64(wire.TimestampStop, uint64(stop))
	}
	w.Close(mark)
}

// putSynproxy appends the SYNPROXY numbers, which every entry has that was
// created by a request.
func (e *entry) putSynproxy(w *wire.Builder, x *extension) {
	if e.has&hasSynproxy == 0 {
		return
	}
	var n [3]uint32
	if x != nil {
		n = x.synproxy
	}
	mark := w.Nest(uint16(ctnetlink.AttrSynproxy))
	w.U32(wire.SynproxyISN, n[0])
	w.U32(wire.SynproxyITS, n[1])
	w.U32(wire.SynproxyTSOff, n[2])
	w.Close(mark)
}

func (x *extension) putMaster(w *wire.Builder) {
	if x.master != nil {
		x.master.tuple.put(w, uint16(ctnetlink.AttrTupleMaster), 0)
	}
}

func (x *extension) putHelper(w *wire.Builder) {
	switch {
	case x.helper == nil:
		return
	case x.kept != nil && x.kept.help != nil:
		w.Bytes(uint16(ctnetlink.AttrHelp)|wire.AttrNested, x.kept.help)
		return
	}
	mark := w.Nest(uint16(ctnetlink.AttrHelp))
	w.Str(wire.HelpName, x.helper.name)
	w.Close(mark)
}

func (x *extension) putLabels(w *wire.Builder) {
	switch {
	case x.kept != nil && x.kept.moreLabels != nil:
		w.Bytes(uint16(ctnetlink.AttrLabels), append(x.labels[:labelsLen:labelsLen], x.kept.moreLabels...))
	case x.labels != [labelsLen]byte{}:
		w.Bytes(uint16(ctnetlink.AttrLabels), x.labels[:])
	}
}

func (x *extension) putSeqAdj(w *wire.Builder, e *entry) {
	if e.status&ctnetlink.StatusSeqAdjust == 0 {
		return
	}
	for d, s := range x.seqAdj {
		mark := w.Nest(uint16(ctnetlink.AttrSeqAdjOrig) + uint16(d))
		w.U32(wire.SeqAdjPos, s.pos)
		w.U32(wire.SeqAdjBefore, s.before)
		w.U32(wire.SeqAdjAfter, s.after)
		w.Close(mark)
	}
}
