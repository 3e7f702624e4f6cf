package ctnetlink

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// SeqAdj is the adjustment of the TCP sequence numbers of one direction, after
// a NAT helper has changed the length of the data (CTA_SEQ_ADJ_ORIG and
// CTA_SEQ_ADJ_REPLY).
type SeqAdj struct {
	// Pos is the sequence number of the last change.
	Pos uint32
	// Before and After are what is added to sequence numbers up to Pos, and
	// after it.
	Before, After int32
}

// SeqAdj returns the sequence adjustment of the original direction, or of the
// reply direction. The kernel sends it for entries with StatusSeqAdjust.
func (f *Flow) SeqAdj(reply bool) (s SeqAdj, ok bool) {
	at := AttrSeqAdjOrig
	if reply {
		at = AttrSeqAdjReply
	}
	if !f.have.Has(at) {
		return s, false
	}
	a := wire.Attrs{B: f.raw(at)}
	for a.Next() {
		if len(a.Val) < 4 {
			continue
		}
		switch v := binary.BigEndian.Uint32(a.Val); a.Type {
		case wire.SeqAdjPos:
			s.Pos = v
		case wire.SeqAdjBefore:
			s.Before = int32(v)
		case wire.SeqAdjAfter:
			s.After = int32(v)
		}
	}
	return s, true
}

func (e *encoder) seqAdj(typ Attr, s SeqAdj) {
	mark := e.Nest(uint16(typ))
	e.U32(wire.SeqAdjPos, s.Pos)
	e.U32(wire.SeqAdjBefore, uint32(s.Before))
	e.U32(wire.SeqAdjAfter, uint32(s.After))
	e.Close(mark)
}

// Synproxy has the numbers of a connection that was accepted by a SYNPROXY
// target (CTA_SYNPROXY).
type Synproxy struct {
	// ISN is the initial sequence number that was sent to the client, ITS its
	// initial time stamp.
	ISN, ITS uint32
	// TSOff is the offset of the server's time stamps from those that were
	// sent to the client.
	TSOff uint32
}

// Synproxy returns the numbers of a SYNPROXY target. The kernel also sends
// them, with zeros, for TCP entries without one.
func (f *Flow) Synproxy() (s Synproxy, ok bool) {
	if !f.have.Has(AttrSynproxy) {
		return s, false
	}
	a := wire.Attrs{B: f.raw(AttrSynproxy)}
	for a.Next() {
		if len(a.Val) < 4 {
			continue
		}
		switch v := binary.BigEndian.Uint32(a.Val); a.Type {
		case wire.SynproxyISN:
			s.ISN = v
		case wire.SynproxyITS:
			s.ITS = v
		case wire.SynproxyTSOff:
			s.TSOff = v
		}
	}
	return s, true
}

func (e *encoder) synproxy(s Synproxy) {
	mark := e.Nest(uint16(AttrSynproxy))
	e.U32(wire.SynproxyISN, s.ISN)
	e.U32(wire.SynproxyITS, s.ITS)
	e.U32(wire.SynproxyTSOff, s.TSOff)
	e.Close(mark)
}

// ExpectNAT is the translation of an expected connection.
type ExpectNAT struct {
	// Reply reports whether the connection is translated as the reply
	// direction of its master, not as the original one.
	Reply bool
	// Tuple has the address and port to translate to as its source.
	Tuple Tuple
}

// NAT returns the translation of the expected connection.
func (e *Expect) NAT() (n ExpectNAT, ok bool) {
	if !e.has(wire.ExpectNAT) {
		return n, false
	}
	a := wire.Attrs{B: e.at[wire.ExpectNAT]}
	for a.Next() {
		switch a.Type {
		case wire.ExpectNATDir:
			n.Reply = len(a.Val) >= 4 && binary.BigEndian.Uint32(a.Val) == 1
		case wire.ExpectNATTuple:
			if n.Tuple.decode(a.Val) != nil {
				return ExpectNAT{}, false
			}
		}
	}
	return n, true
}

func (e *encoder) expectNAT(n *ExpectNAT) {
	mark := e.Nest(wire.ExpectNAT)
	direction := uint32(0)
	if n.Reply {
		direction = 1
	}
	e.U32(wire.ExpectNATDir, direction)
	e.tuple(wire.ExpectNATTuple, &n.Tuple)
	e.Close(mark)
}
