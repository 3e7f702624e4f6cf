package cmd

import (
	"io"
	"math"
	"net/netip"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

const styleSave = format.StyleSave

// parser turns the options of one command line, in the order they come, into
// a Request. The classic grammar (getopt.go) and the commands of tree.go feed
// it; what an option means is decided here, once.
type parser struct {
	req    *Request
	stderr io.Writer // for warnings
	// protocols are those that -p has named so far: their options are known.
	protocols []*protocol
	output    uint32 // elements of -o
	lists     []list // what commands that choose entries understand (filter_lists.go)
	// Names of labels as they were typed: -l without and with `!', --label-add
	// and --label-del.
	labels, notLabels, labelAdd, labelDel []string
	// lengths are the fields of the mask that came as the length of an address.
	lengths ctnetlink.Fields
}

func newParser(stderr io.Writer) *parser { return &parser{req: &Request{}, stderr: stderr} }

// command takes a command and the name of its table.
func (p *parser) command(c Command, table string, hasTable bool) error {
	t := tableConntrack
	if hasTable {
		var err error
		if t, err = tableByName(table); err != nil {
			return err
		}
	}
	switch {
	case (t == tableDying || t == tableUnconfirmed) && c != cmdList:
		return usagef("Can't do that command with tables `dying' and `unconfirmed'")
	case t == tableExpect && c == cmdUpdate:
		return usagef("Can't do --update on expectations")
	case t == tableExpect && c == cmdAdd:
		return usagef("Can't do --add on expectations")
	case p.req.Command != cmdNone:
		return usagef("Invalid commands combination")
	}
	p.req.Command, p.req.Table = c, t
	return nil
}

// tableByName finds a table by any beginning of its name.
func tableByName(s string) (Table, error) {
	for _, t := range []struct {
		name  string
		table Table
	}{{"expect", tableExpect}, {"conntrack", tableConntrack}, {"dying", tableDying}, {"unconfirmed", tableUnconfirmed}} {
		if strings.HasPrefix(t.name, s) {
			return t.table, nil
		}
	}
	return 0, usagef("unknown type `%s'", s)
}

// option takes a generic option; hasValue is false for a flag, and where an
// optional value is not there.
func (p *parser) option(o option, value string, hasValue bool) error {
	r := p.req
	if o != optNATRange {
		r.given |= 1 << o
	}
	switch o {
	case optSrc:
		return p.address(o, value, &r.Orig, ctnetlink.FieldSrc, &r.Mask)
	case optDst:
		return p.address(o, value, &r.Orig, ctnetlink.FieldDst, &r.Mask)
	case optReplySrc:
		return p.replyAddress(o, value, ctnetlink.FieldSrc, &r.replySrcMask)
	case optReplyDst:
		return p.replyAddress(o, value, ctnetlink.FieldDst, &r.replyDstMask)
	case optTupleSrc:
		return p.address(o, value, &r.Expected, ctnetlink.FieldSrc, &r.Mask)
	case optTupleDst:
		return p.address(o, value, &r.Expected, ctnetlink.FieldDst, &r.Mask)
	case optMaskSrc:
		return p.address(o, value, &r.Mask, ctnetlink.FieldSrc, nil)
	case optMaskDst:
		return p.address(o, value, &r.Mask, ctnetlink.FieldDst, nil)
	case optProtoNum:
		return p.protocol(value)
	case optFamily:
		return p.family(value)
	case optTimeout:
		r.Timeout, r.timeoutText = uint32(atol(value)), value
	case optStatus:
		return p.parseList(value, statusNames, true, func(n name, negated bool) {
			switch {
			case negated:
				r.StatusClear |= ctnetlink.Status(n.bits)
			case n.bits == 0:
				r.statusUnset = true
			default:
				r.StatusSet |= ctnetlink.Status(n.bits)
			}
		})
	case optEventMask:
		return p.parseList(value, eventNames, false, func(n name, _ bool) { r.Groups |= eventMask(n.bits) })
	case optOutput:
		if err := p.parseList(value, outputNames, false, func(n name, _ bool) { p.output |= n.bits }); err != nil {
			return err
		}
		return p.setOutput()
	case optMark:
		mark, mask, err := parseMark(value)
		if err != nil {
			return p.markList(value)
		}
		p.unsetList(o, 0)
		r.Mark, r.MarkMask = mark, mask
	case optID, optSecMark, optZone, optOrigZone, optReplyZone:
		return p.number(o, value)
	case optBufferSize:
		n, rest := strtol(value)
		if rest != "" || value == "" || n < 0 || n > math.MaxInt32 {
			return unexpected(value, 'b')
		}
		r.BufferSize = max(int(n), 1)
	case optZero:
		r.Zero = true
	case optSrcNAT, optDstNAT, optAnyNAT:
		n := r.nat(o)
		n.Given = true
		if hasValue {
			return p.natOption(o, value, n)
		}
		p.unsetList(o, 0)
	case optLabel:
		if names, negated := strings.CutPrefix(value, "!"); negated {
			p.notLabels = append(p.notLabels, strings.Split(names, ",")...)
			break
		}
		p.labels = append(p.labels, strings.Split(value, ",")...)
	case optLabelAdd:
		p.labelAdd = append(p.labelAdd, strings.Split(value, ",")...)
		return p.labelConflict()
	case optLabelDel:
		if hasValue {
			p.labelDel = append(p.labelDel, strings.Split(value, ",")...)
		}
		return p.labelConflict()
	case optLabelMap:
		if r.labelMapPath != "" {
			return usagef("option `--labelmap' can only be specified once")
		}
		r.labelMapPath = value
	case optNATRange:
		p.warn("WARNING: ignoring -a, deprecated option.\n")
	default:
		return p.ownOption(o, value)
	}
	return nil
}

func (p *parser) labelConflict() error {
	if p.req.has(optLabelAdd) && p.req.has(optLabelDel) {
		return failuref("cannot use --label-add and --label-del at the same time")
	}
	return nil
}

// address reads an address into one field of a tuple. With a mask tuple a
// length may follow, which counts as the mask option unless it is the whole
// address.
func (p *parser) address(o option, value string, t *ctnetlink.Tuple, field ctnetlink.Fields, mask *ctnetlink.Tuple) error {
	if strings.HasPrefix(value, "!") && (o == optSrc || o == optDst) {
		return p.addressList(o, value)
	}
	p.unsetList(o, 0)
	a, length, hasLength, err := parsePrefix(value)
	if err != nil {
		return err
	}
	if err := p.req.fixFamily(familyOf(a)); err != nil {
		return err
	}
	if hasLength && mask == nil {
		return noCIDR(o)
	}
	setAddr(t, field, a)
	if t == &p.req.Mask {
		p.lengths &^= field
	}
	if !hasLength {
		return nil
	}
	bits, err := parseLength(length, a.BitLen())
	if err != nil {
		return err
	}
	if bits < a.BitLen() {
		setAddr(mask, field, maskOf(a, bits))
		p.lengths |= field
		if field == ctnetlink.FieldSrc {
			p.req.given |= 1 << optMaskSrc
		} else {
			p.req.given |= 1 << optMaskDst
		}
	}
	return nil
}

// family reads -f, of which only the first four letters count.
func (p *parser) family(value string) error {
	switch {
	case strings.HasPrefix(value, "ipv4"):
		return p.req.fixFamily(ctnetlink.FamilyIPv4)
	case strings.HasPrefix(value, "ipv6"):
		return p.req.fixFamily(ctnetlink.FamilyIPv6)
	}
	return usagef("`%s' unsupported protocol", value)
}

// protocol reads -p. The later one decides, the options of all are known.
func (p *parser) protocol(value string) error {
	proto, ok := protocolByName(value)
	if !ok {
		return p.protocolList(value)
	}
	p.unsetList(optProtoNum, 0)
	p.protocols = append(p.protocols, proto)
	p.req.proto = proto
	p.req.Orig.Proto, p.req.Orig.Has = proto.number, p.req.Orig.Has|ctnetlink.FieldProto
	return nil
}

// protoOption takes an option of a protocol.
func (p *parser) protoOption(o protoOption, value string) error {
	r := p.req
	r.protoGiven |= 1 << o
	p.tupleList(o, value)
	port := uint16(atol(value))
	switch o {
	case poSrcKey, poDstKey, poReplySrcKey, poReplyDstKey, poMaskSrcKey, poMaskDstKey, poTupleSrcKey, poTupleDstKey:
		key, _ := strtoul(value, 0)
		port = uint16(key)
	}
	switch o {
	case poSrcPort, poSrcKey:
		setPort(&r.Orig, ctnetlink.FieldSrcPort, port)
	case poDstPort, poDstKey:
		setPort(&r.Orig, ctnetlink.FieldDstPort, port)
	case poReplySrcPort, poReplySrcKey:
		setPort(&r.Reply, ctnetlink.FieldSrcPort, port)
	case poReplyDstPort, poReplyDstKey:
		setPort(&r.Reply, ctnetlink.FieldDstPort, port)
	case poMaskSrcPort, poMaskSrcKey:
		setPort(&r.Mask, ctnetlink.FieldSrcPort, port)
	case poMaskDstPort, poMaskDstKey:
		setPort(&r.Mask, ctnetlink.FieldDstPort, port)
	case poTupleSrcPort, poTupleSrcKey:
		setPort(&r.Expected, ctnetlink.FieldSrcPort, port)
	case poTupleDstPort, poTupleDstKey:
		setPort(&r.Expected, ctnetlink.FieldDstPort, port)
	case poICMPType, poICMPv6Type:
		r.Orig.ICMPType, r.Orig.Has = uint8(atol(value)), r.Orig.Has|ctnetlink.FieldICMPType
	case poICMPCode, poICMPv6Code:
		r.Orig.ICMPCode, r.Orig.Has = uint8(atol(value)), r.Orig.Has|ctnetlink.FieldICMPCode
	case poICMPID, poICMPv6ID:
		r.Orig.ICMPID, r.Orig.Has = uint16(atol(value)), r.Orig.Has|ctnetlink.FieldICMPID
	case poOrigVTag:
		r.Info.VTag[0], r.Info.Proto = uint32(atol(value)), ctnetlink.ProtoSCTP
	case poReplyVTag:
		r.Info.VTag[1], r.Info.Proto = uint32(atol(value)), ctnetlink.ProtoSCTP
	case poState:
		return p.state(value)
	case poRole:
		return p.role(value)
	}
	return nil
}

// state reads --state by the names of the last protocol that has states.
func (p *parser) state(value string) error {
	var proto *protocol
	for _, q := range p.protocols {
		number := q.number
		if q.members != nil {
			number = q.members[0].number
		}
		if ctnetlink.StateNames(number) != nil {
			proto = q
		}
	}
	state, ok := stateByName(proto.number, value)
	if !ok || proto.members != nil {
		word := "unknown"
		if proto.number == ctnetlink.ProtoDCCP {
			word = "Unknown"
		}
		return p.stateList(proto, value, usagef("%s %s state `%s'", word, strings.ToUpper(proto.name), value))
	}
	p.unsetList(0, poState)
	info := &p.req.Info
	info.Proto, info.State, info.Has = proto.number, state, info.Has|ctnetlink.InfoState
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
	case hasPrefixFold("client", value):
		info.Role = 0
	case hasPrefixFold("server", value):
		info.Role = 1
	default:
		return usagef("Unknown DCCP role `%s'", value)
	}
	info.Proto, info.Has = ctnetlink.ProtoDCCP, info.Has|ctnetlink.InfoRole
	return nil
}

// setOutput turns the elements of -o into options of the printer.
func (p *parser) setOutput() error {
	if p.output&outSave != 0 && p.output&^(outSave|outUserspace) != 0 {
		return failuref("cannot combine save output with any other output type, use -o save only")
	}
	out := &p.req.Output
	switch {
	case p.output&outSave != 0:
		out.Style = format.StyleSave
	case p.output&outXML != 0:
		out.Style = format.StyleXML
	}
	if own := p.output & outOwn; own != 0 {
		if others := p.output & (outOwn | outXML | outSave); others&(others-1) != 0 {
			return failuref("cannot combine output forms: use only one of xml, save, json, jsonl, csv, table, netlink and prom")
		}
		out.Style = ownStyle(own)
	}
	out.Extended = p.output&outExtended != 0
	out.ID = p.output&outID != 0
	out.Timestamp = p.output&outTimestamp != 0
	out.KTimestamp = p.output&outKTimestamp != 0
	out.Labels = p.output&outLabels != 0
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

// setAddr sets the source or the destination of a tuple.
func setAddr(t *ctnetlink.Tuple, field ctnetlink.Fields, a netip.Addr) {
	t.Has |= field
	if field == ctnetlink.FieldSrc {
		t.Src = a
	} else {
		t.Dst = a
	}
}
