package engine

import (
	"bytes"
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// policy holds the rules for attributes by their number. The kernel checks them
// before it looks at any attribute (struct nla_policy, in its liberal form).
type policy []rule

// rule is the rule for one attribute. The zero value accepts everything.
type rule struct {
	kind uint8
	n    int // depends on kind
}

// The kinds of rules, each with what violates it and the error.
const (
	unspec    uint8 = iota
	minLen          // fewer than n bytes: ERANGE; more are ignored
	maxLen          // more than n bytes: ERANGE
	nlaNested       // not empty and shorter than an attribute's header: ERANGE
	maxU8           // no byte, or one greater than n: ERANGE
	nlaString       // no NUL: EINVAL; more than n characters: ERANGE
	reject          // always EINVAL: only the table sends it
	flagMask        // fewer than four bytes: ERANGE; bits that are not in n: EINVAL
)

var (
	u8, u16, u32, u64 = rule{minLen, 1}, rule{minLen, 2}, rule{minLen, 4}, rule{minLen, 8}
	nested            = rule{kind: nlaNested}
)

// check applies a rule to an attribute's payload.
func (r rule) check(val []byte) errno {
	ok := true
	switch r.kind {
	case minLen:
		ok = len(val) >= r.n
	case maxLen:
		ok = len(val) <= r.n
	case nlaNested:
		ok = len(val) == 0 || len(val) >= wire.AttrHeaderLen
	case maxU8:
		ok = len(val) >= 1 && int(val[0]) <= r.n
	case flagMask:
		if ok = len(val) >= 4; ok && int64(binary.BigEndian.Uint32(val))&^int64(r.n) != 0 {
			return ctnetlink.EINVAL
		}
	case reject:
		return ctnetlink.EINVAL
	case nlaString:
		at := bytes.IndexByte(val[:min(len(val), r.n+1)], 0)
		if at < 0 {
			return ctnetlink.EINVAL
		}
		long := len(val)
		if val[long-1] == 0 {
			long--
		}
		ok = long <= r.n
	}
	if !ok {
		return ctnetlink.ERANGE
	}
	return 0
}

// parse stores the payload of each attribute in tb by its number, the last one
// if a number is repeated. The payload of an empty attribute is not nil.
// Numbers that are not in tb, and trailing bytes that are no attribute, are
// ignored.
func parse(b []byte, tb [][]byte, p policy) errno {
	a := wire.Attrs{B: b}
	for a.Next() {
		if a.Type == 0 || int(a.Type) >= len(tb) {
			continue
		}
		if int(a.Type) < len(p) {
			if no := p[a.Type].check(a.Val); no != 0 {
				return no
			}
		}
		tb[a.Type] = a.Val
	}
	return 0
}

var (
	// entryPolicy is the policy of a conntrack message (ct_nla_policy).
	entryPolicy = policy{
		ctnetlink.AttrTupleOrig:      nested,
		ctnetlink.AttrTupleReply:     nested,
		ctnetlink.AttrStatus:         u32,
		ctnetlink.AttrProtoInfo:      nested,
		ctnetlink.AttrHelp:           nested,
		ctnetlink.AttrNATSrc:         nested,
		ctnetlink.AttrTimeout:        u32,
		ctnetlink.AttrMark:           u32,
		ctnetlink.AttrID:             u32,
		ctnetlink.AttrNATDst:         nested,
		ctnetlink.AttrTupleMaster:    nested,
		ctnetlink.AttrSeqAdjOrig:     nested,
		ctnetlink.AttrSeqAdjReply:    nested,
		ctnetlink.AttrZone:           u16,
		ctnetlink.AttrMarkMask:       u32,
		ctnetlink.AttrLabels:         {maxLen, labelsLen},
		ctnetlink.AttrLabelsMask:     {maxLen, labelsLen},
		ctnetlink.AttrFilter:         nested,
		ctnetlink.AttrTimestampEvent: {kind: reject},
		ctnetlink.AttrStatusMask:     u32,
	}
	tuplePolicy = policy{wire.TupleIP: nested, wire.TupleProto: nested, wire.TupleZone: u16}
	ipPolicy    = policy{
		wire.IPv4Src: u32, wire.IPv4Dst: u32,
		wire.IPv6Src: {minLen, 16}, wire.IPv6Dst: {minLen, 16},
	}
	protoPolicy  = policy{wire.ProtoNum: u8}
	portPolicy   = policy{wire.ProtoSrcPort: u16, wire.ProtoDstPort: u16}
	icmpPolicy   = policy{wire.ProtoICMPID: u16, wire.ProtoICMPType: u8, wire.ProtoICMPCode: u8}
	icmpv6Policy = policy{wire.ProtoICMPv6ID: u16, wire.ProtoICMPv6Type: u8, wire.ProtoICMPv6Code: u8}

	infoPolicy = policy{wire.InfoTCP: nested, wire.InfoDCCP: nested, wire.InfoSCTP: nested}
	tcpPolicy  = policy{
		wire.InfoTCPState:      {maxU8, 9},                                        // TCP_CONNTRACK_SYN_SENT2
		wire.InfoTCPWScaleOrig: {maxU8, 14}, wire.InfoTCPWScaleReply: {maxU8, 14}, // TCP_MAX_WSCALE
		wire.InfoTCPFlagsOrig: u16, wire.InfoTCPFlagsReply: u16,
	}
	sctpPolicy = policy{
		wire.InfoSCTPState:    {maxU8, 8}, // SCTP_CONNTRACK_HEARTBEAT_SENT
		wire.InfoSCTPVTagOrig: u32, wire.InfoSCTPVTagReply: u32,
	}
	helpPolicy     = policy{wire.HelpName: {nlaString, 15}} // NF_CT_HELPER_NAME_LEN - 1
	seqAdjPolicy   = policy{wire.SeqAdjPos: u32, wire.SeqAdjBefore: u32, wire.SeqAdjAfter: u32}
	synproxyPolicy = policy{wire.SynproxyISN: u32, wire.SynproxyITS: u32, wire.SynproxyTSOff: u32}
	natPolicy      = policy{
		wire.NATv4MinIP: u32, wire.NATv4MaxIP: u32, wire.NATProto: nested,
		wire.NATv6MinIP: {minLen, 16}, wire.NATv6MaxIP: {minLen, 16},
	}
	natPortPolicy = policy{wire.NATPortMin: u16, wire.NATPortMax: u16}
)
