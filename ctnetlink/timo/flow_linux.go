package timo

import (
	"bytes"
	"strings"
	"time"

	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Flow converts an entry. The result has no reference to the message under f.
func Flow(f *ctnetlink.Flow) conntrack.Flow {
	var to conntrack.Flow
	to.ID, _ = f.ID()
	timeout, _ := f.Timeout()
	to.Timeout = seconds(timeout)
	to.Mark, _ = f.Mark()
	to.Use, _ = f.Use()
	to.Zone, _ = f.Zone()
	status, _ := f.Status()
	to.Status = Status(status)
	to.TupleOrig, to.TupleReply = Tuple(f.Orig()), Tuple(f.Reply())
	if master, ok := f.Master(); ok {
		to.TupleMaster = Tuple(&master)
	}
	if info, ok := f.ProtoInfo(); ok {
		to.ProtoInfo = ProtoInfo(&info)
	}
	if help, ok := f.Raw(ctnetlink.AttrHelp); ok {
		helper, _ := f.Helper()
		info, _ := wire.Find(help, wire.HelpInfo)
		to.Helper = conntrack.Helper{Name: string(helper), Info: bytes.Clone(info)}
	}
	to.CountersOrig = counter(f, false)
	to.CountersReply = counter(f, true)
	to.Timestamp.Start, _ = f.Start()
	to.Timestamp.Stop, _ = f.Stop()
	if raw, ok := f.Raw(ctnetlink.AttrSecCtx); ok {
		context, _ := wire.Find(raw, wire.SecCtxName)
		to.SecurityContext = conntrack.Security(context) // with the NUL, as they have it
	}
	to.SeqAdjOrig = seqAdjust(f, false)
	to.SeqAdjReply = seqAdjust(f, true)
	if s, ok := f.Synproxy(); ok {
		to.SynProxy = conntrack.SynProxy{ISN: s.ISN, ITS: s.ITS, TSOff: s.TSOff}
	}
	if labels, ok := f.Labels(); ok {
		to.Labels = bytes.Clone(labels)
	}
	if mask, ok := f.Raw(ctnetlink.AttrLabelsMask); ok {
		to.LabelsMask = bytes.Clone(mask)
	}
	return to
}

// Status converts flags. Both types have the bits of enum ip_conntrack_status.
func Status(s ctnetlink.Status) conntrack.Status { return conntrack.Status(s) }

// FromStatus converts flags.
func FromStatus(s conntrack.Status) ctnetlink.Status { return ctnetlink.Status(s) }

// seconds and duration convert a timeout, which tables have in whole seconds.
func seconds(d time.Duration) uint32        { return uint32(d / time.Second) }
func duration(seconds uint32) time.Duration { return time.Duration(seconds) * time.Second }

func counter(f *ctnetlink.Flow, reply bool) conntrack.Counter {
	counters := f.CountersOrig
	if reply {
		counters = f.CountersReply
	}
	packets, bytes, ok := counters()
	return conntrack.Counter{Direction: reply && ok, Packets: packets, Bytes: bytes}
}

func seqAdjust(f *ctnetlink.Flow, reply bool) conntrack.SequenceAdjust {
	s, ok := f.SeqAdj(reply)
	return conntrack.SequenceAdjust{
		Direction: reply && ok,
		Position:  s.Pos, OffsetBefore: uint32(s.Before), OffsetAfter: uint32(s.After),
	}
}

func fromSeqAdjust(s conntrack.SequenceAdjust) (to ctnetlink.SeqAdj, ok bool) {
	to = ctnetlink.SeqAdj{Pos: s.Position, Before: int32(s.OffsetBefore), After: int32(s.OffsetAfter)}
	return to, to != ctnetlink.SeqAdj{}
}

// name returns a name without the NUL at its end, which the kernel demands and
// ti-mo/conntrack does not add. The encoder of ctnetlink adds it.
func name(s string) string { return strings.TrimRight(s, "\x00") }

// FlowSpec converts an entry to a request to create, update, get or delete it.
// It has every field of f that a request can have: no counters, time stamps or
// security context, and no helper's data. Its ID makes Delete act on that very
// entry.
func FlowSpec(f conntrack.Flow) *ctnetlink.FlowSpec {
	to := &ctnetlink.FlowSpec{
		Orig: FromTuple(f.TupleOrig), Reply: FromTuple(f.TupleReply), Master: FromTuple(f.TupleMaster),
		Zone: f.Zone, Status: FromStatus(f.Status), Timeout: duration(f.Timeout), Mark: f.Mark, ID: f.ID,
		ProtoInfo: FromProtoInfo(f.ProtoInfo), Helper: name(f.Helper.Name),
		Labels: bytes.Clone(f.Labels), LabelsMask: bytes.Clone(f.LabelsMask),
		Synproxy: ctnetlink.Synproxy{ISN: f.SynProxy.ISN, ITS: f.SynProxy.ITS, TSOff: f.SynProxy.TSOff},
	}
	if to.Family = to.Orig.Family(); to.Family == ctnetlink.FamilyAny {
		to.Family = to.Reply.Family()
	}
	set := func(a ctnetlink.Attr, given bool) {
		if given {
			to.Set = to.Set.With(a)
		}
	}
	var orig, reply bool
	to.SeqAdj[0], orig = fromSeqAdjust(f.SeqAdjOrig)
	to.SeqAdj[1], reply = fromSeqAdjust(f.SeqAdjReply)
	set(ctnetlink.AttrTupleMaster, to.Master.Has != 0)
	set(ctnetlink.AttrZone, to.Zone != 0)
	set(ctnetlink.AttrStatus, to.Status != 0)
	set(ctnetlink.AttrTimeout, to.Timeout != 0)
	set(ctnetlink.AttrMark, to.Mark != 0)
	set(ctnetlink.AttrID, to.ID != 0)
	set(ctnetlink.AttrProtoInfo, to.ProtoInfo.Proto != 0)
	set(ctnetlink.AttrHelp, to.Helper != "")
	set(ctnetlink.AttrLabels, len(to.Labels) > 0)
	set(ctnetlink.AttrLabelsMask, len(to.LabelsMask) > 0)
	set(ctnetlink.AttrSynproxy, to.Synproxy != ctnetlink.Synproxy{})
	set(ctnetlink.AttrSeqAdjOrig, orig)
	set(ctnetlink.AttrSeqAdjReply, reply)
	return to
}

// FromFlow converts an entry to a view of a new message, which has every field
// of f that is not zero, and the status. A table file, for example, can take
// the message.
func FromFlow(f conntrack.Flow) *ctnetlink.Flow { return fromFlow(f, wire.MsgNew, 0) }

// fromFlow is FromFlow with the type and flags of the message.
func fromFlow(f conntrack.Flow, msg, flags uint16) *ctnetlink.Flow {
	spec := FlowSpec(f)
	spec.Set = spec.Set.With(ctnetlink.AttrStatus)
	if len(f.Helper.Info) > 0 {
		spec.Set = spec.Set.Without(ctnetlink.AttrHelp) // written below
	}
	w := wire.Builder{B: spec.AppendMessage(nil)}
	if len(f.Helper.Info) > 0 {
		mark := w.Nest(uint16(ctnetlink.AttrHelp))
		w.Str(wire.HelpName, name(f.Helper.Name))
		w.Bytes(wire.HelpInfo, f.Helper.Info)
		w.Close(mark)
	}
	if f.Use != 0 {
		w.U32(uint16(ctnetlink.AttrUse), f.Use)
	}
	// A table with accounting sends the counters of both directions.
	if o, r := f.CountersOrig, f.CountersReply; o.Packets|o.Bytes|r.Packets|r.Bytes != 0 {
		appendCounter(&w, ctnetlink.AttrCountersOrig, o)
		appendCounter(&w, ctnetlink.AttrCountersReply, r)
	}
	if t := f.Timestamp; !t.Start.IsZero() || !t.Stop.IsZero() {
		mark := w.Nest(uint16(ctnetlink.AttrTimestamp))
		if !t.Start.IsZero() {
			w.U64(wire.TimestampStart, uint64(t.Start.UnixNano()))
		}
		if !t.Stop.IsZero() {
			w.U64(wire.TimestampStop, uint64(t.Stop.UnixNano()))
		}
		w.Close(mark)
	}
	if f.SecurityContext != "" {
		mark := w.Nest(uint16(ctnetlink.AttrSecCtx))
		w.Bytes(wire.SecCtxName, []byte(f.SecurityContext))
		w.Close(mark)
	}
	w.End()
	setType(w.B, wire.SubsysConntrack<<8|msg, flags)
	to := new(ctnetlink.Flow)
	// Lengths are bounded by wire.MaxPayload: decoding does not fail.
	_ = to.Decode(w.B)
	return to
}

func appendCounter(w *wire.Builder, a ctnetlink.Attr, c conntrack.Counter) {
	mark := w.Nest(uint16(a))
	w.U64(wire.CountersPackets, c.Packets)
	w.U64(wire.CountersBytes, c.Bytes)
	w.Close(mark)
}
