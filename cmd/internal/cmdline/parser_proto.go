package cmdline

import (
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// protocol reads -p. The last one counts, but the options of all are known.
func (p *parser) protocol(value string) error {
	proto, ok := ProtocolByName(value)
	if !ok {
		return p.protocolList(value)
	}
	p.unsetList(OptProtoNum, 0)
	p.protocols = append(p.protocols, proto)
	p.req.proto = proto
	p.req.Orig.Proto, p.req.Orig.Has = proto.Number, p.req.Orig.Has|ctnetlink.FieldProto
	return nil
}

// protoOption takes an option of a protocol.
func (p *parser) protoOption(o ProtoOption, value string) error {
	r := p.req
	r.protoGiven |= 1 << o
	p.tupleList(o, value)
	port := uint16(atol(value))
	switch o {
	case ProtoOptSrcKey, ProtoOptDstKey, ProtoOptReplySrcKey, ProtoOptReplyDstKey, ProtoOptMaskSrcKey, ProtoOptMaskDstKey, ProtoOptTupleSrcKey, ProtoOptTupleDstKey:
		key, _ := strtoul(value, 0)
		port = uint16(key)
	}
	switch o {
	case ProtoOptSrcPort, ProtoOptSrcKey:
		setPort(&r.Orig, ctnetlink.FieldSrcPort, port)
	case ProtoOptDstPort, ProtoOptDstKey:
		setPort(&r.Orig, ctnetlink.FieldDstPort, port)
	case ProtoOptReplySrcPort, ProtoOptReplySrcKey:
		setPort(&r.Reply, ctnetlink.FieldSrcPort, port)
	case ProtoOptReplyDstPort, ProtoOptReplyDstKey:
		setPort(&r.Reply, ctnetlink.FieldDstPort, port)
	case ProtoOptMaskSrcPort, ProtoOptMaskSrcKey:
		setPort(&r.Mask, ctnetlink.FieldSrcPort, port)
	case ProtoOptMaskDstPort, ProtoOptMaskDstKey:
		setPort(&r.Mask, ctnetlink.FieldDstPort, port)
	case ProtoOptTupleSrcPort, ProtoOptTupleSrcKey:
		setPort(&r.Expected, ctnetlink.FieldSrcPort, port)
	case ProtoOptTupleDstPort, ProtoOptTupleDstKey:
		setPort(&r.Expected, ctnetlink.FieldDstPort, port)
	case ProtoOptICMPType, ProtoOptICMPv6Type:
		r.Orig.ICMPType, r.Orig.Has = uint8(atol(value)), r.Orig.Has|ctnetlink.FieldICMPType
	case ProtoOptICMPCode, ProtoOptICMPv6Code:
		r.Orig.ICMPCode, r.Orig.Has = uint8(atol(value)), r.Orig.Has|ctnetlink.FieldICMPCode
	case ProtoOptICMPID, ProtoOptICMPv6ID:
		r.Orig.ICMPID, r.Orig.Has = uint16(atol(value)), r.Orig.Has|ctnetlink.FieldICMPID
	case ProtoOptOrigVTag:
		r.Info.VTag[0], r.Info.Proto = uint32(atol(value)), ctnetlink.ProtoSCTP
	case ProtoOptReplyVTag:
		r.Info.VTag[1], r.Info.Proto = uint32(atol(value)), ctnetlink.ProtoSCTP
	case ProtoOptState:
		return p.state(value)
	case ProtoOptRole:
		return p.role(value)
	}
	return nil
}

// state reads --state by the names of the last protocol that has states.
func (p *parser) state(value string) error {
	var proto *Protocol
	for _, q := range p.protocols {
		number := q.Number
		if q.members != nil {
			number = q.members[0].Number
		}
		if ctnetlink.StateNames(number) != nil {
			proto = q
		}
	}
	state, ok := stateByName(proto.Number, value)
	if !ok || proto.members != nil {
		word := "unknown"
		if proto.Number == ctnetlink.ProtoDCCP {
			word = "Unknown"
		}
		return p.stateList(proto, value, Usagef("%s %s state `%s'", word, strings.ToUpper(proto.Name), value))
	}
	p.unsetList(0, ProtoOptState)
	info := &p.req.Info
	info.Proto, info.State, info.Has = proto.Number, state, info.Has|ctnetlink.InfoState
	return nil
}

func stateByName(proto uint8, value string) (uint8, bool) {
	if proto == ctnetlink.ProtoTCP && value == "LISTEN" {
		value = "SYN_SENT2"
	}
	for i, name := range ctnetlink.StateNames(proto) {
		if name == value {
			return uint8(i), true
		}
	}
	return 0, false
}

func (p *parser) role(value string) error {
	info := &p.req.Info
	switch {
	case HasPrefixFold("client", value):
		info.Role = 0
	case HasPrefixFold("server", value):
		info.Role = 1
	default:
		return Usagef("Unknown DCCP role `%s'", value)
	}
	info.Proto, info.Has = ctnetlink.ProtoDCCP, info.Has|ctnetlink.InfoRole
	return nil
}

// setPort sets the source or the destination port of a tuple, or its key.
func setPort(t *ctnetlink.Tuple, field ctnetlink.Fields, port uint16) {
	t.Has |= field
	if field == ctnetlink.FieldSrcPort {
		t.SrcPort = port
	} else {
		t.DstPort = port
	}
}
