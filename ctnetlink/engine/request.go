package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// request is one message of a datagram that was sent.
type request struct {
	from    *socket
	msg     wire.Message // aliases the datagram
	typ     uint16
	flags   uint16
	seq     uint32
	family  ctnetlink.Family
	version uint8
	attrs   []byte // after the headers
}

// errDumpStarted is what a handler returns that started a dump: no
// acknowledgement follows. The kernel uses the same number.
const errDumpStarted = ctnetlink.EINTR

// handler handles one kind of request; 0 is success.
type handler func(t *Table, r *request) errno

// handlerOf returns the handler of a message type, nil if there is none.
func handlerOf(typ uint16) handler {
	switch typ >> 8 {
	case wire.SubsysConntrack:
		switch typ & 0xff {
		case wire.MsgNew:
			return (*Table).newEntry
		case wire.MsgGet, wire.MsgGetCtrZero:
			return (*Table).getEntry
		case wire.MsgDelete:
			return (*Table).deleteEntry
		case wire.MsgGetStatsCPU:
			return (*Table).statsCPU
		case wire.MsgGetStats:
			return (*Table).statsGlobal
		case wire.MsgGetDying, wire.MsgGetUnconfirmed:
			return (*Table).listNothing
		}
	case wire.SubsysExpect:
		if typ&0xff <= wire.MsgExpGetStatsCPU {
			return (*Table).expectRequest
		}
	}
	return nil
}

// batchBegin is NFNL_MSG_BATCH_BEGIN. It starts a transaction, which ctnetlink
// does not support.
const batchBegin = 0x10

// datagram handles the messages of a datagram in turn (netlink_rcv_skb,
// nfnetlink_rcv), up to the first one whose length cannot be right.
func (t *Table) datagram(s *socket, b []byte) {
	m := wire.Messages{B: b}
	for first := true; m.Next(); first = false {
		r := request{from: s, msg: m.Msg, typ: m.Msg.Type(), flags: m.Msg.Flags(), seq: m.Msg.Seq()}
		if first && r.typ == batchBegin {
			t.acknowledge(&r, ctnetlink.EOPNOTSUPP)
			return
		}
		no := t.handle(&r)
		if no != errDumpStarted && (no != 0 || r.flags&wire.FlagAck != 0) {
			t.acknowledge(&r, no)
		}
	}
}

// handle calls the handler of a message (nfnetlink_rcv_msg).
func (t *Table) handle(r *request) errno {
	switch {
	case r.flags&wire.FlagRequest == 0, r.typ < wire.TypeMin, len(r.msg) < wire.HeadLen:
		return 0
	}
	h := handlerOf(r.typ)
	if h == nil {
		return ctnetlink.EINVAL
	}
	r.family, r.version = ctnetlink.Family(r.msg.Family()), r.msg[wire.HeaderLen+1]
	r.attrs = r.msg.Payload()
	return h(t, r)
}

// acknowledge queues the result of a request: the error number and the
// request's header (netlink_ack with NETLINK_CAP_ACK, which ctnetlink's kernel
// socket sets).
func (t *Table) acknowledge(r *request, no errno) {
	w := t.builder()
	w.BeginPlain(wire.TypeError, wire.FlagCapped, r.seq, r.from.portID)
	w.B = binary.NativeEndian.AppendUint32(w.B, uint32(-int32(no)))
	w.B = append(w.B, r.msg[:wire.HeaderLen]...)
	w.End()
	r.from.push(w.B, ackCost)
}

// builder returns the table's builder, emptied.
func (t *Table) builder() *wire.Builder {
	t.w.B = t.w.B[:0]
	return &t.w
}

// isDump reports whether the request is for a dump: either bit of NLM_F_DUMP is
// enough.
func (r *request) isDump() bool { return r.flags&wire.FlagDump != 0 }

// echo returns the socket that sent the request if it asked to receive its own
// event, else nil.
func (r *request) echo() *socket {
	if r.flags&wire.FlagEcho != 0 {
		return r.from
	}
	return nil
}

// entryAttrs holds the attributes of a conntrack message by number; nil if not
// sent.
type entryAttrs [28][]byte

func (a *entryAttrs) has(n ctnetlink.Attr) bool { return a[n] != nil }

// u32 returns the big-endian number in an attribute that was sent.
func (a *entryAttrs) u32(n ctnetlink.Attr) uint32 { return binary.BigEndian.Uint32(a[n]) }

// parseEntry reads the attributes of a conntrack message. The result is valid
// until the next call.
func (t *Table) parseEntry(r *request) (*entryAttrs, errno) {
	t.attrs = entryAttrs{}
	return &t.attrs, parse(r.attrs, t.attrs[:], entryPolicy)
}

// parseZone reads CTA_ZONE; without it the zone is the default zone.
func parseZone(val []byte) zone {
	z := defaultZone
	if val != nil {
		z.id = binary.BigEndian.Uint16(val)
	}
	return z
}
