package cmdline

import (
	"strings"
	"sync"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// ProtoOption is an option of a protocol. An option of the same name is the
// same option in every protocol that has it.
type ProtoOption uint8

const (
	_ ProtoOption = iota
	ProtoOptSrcPort
	ProtoOptDstPort
	ProtoOptReplySrcPort
	ProtoOptReplyDstPort
	ProtoOptMaskSrcPort
	ProtoOptMaskDstPort
	ProtoOptState
	ProtoOptTupleSrcPort
	ProtoOptTupleDstPort
	ProtoOptOrigVTag
	ProtoOptReplyVTag
	ProtoOptRole
	ProtoOptICMPType
	ProtoOptICMPCode
	ProtoOptICMPID
	ProtoOptICMPv6Type
	ProtoOptICMPv6Code
	ProtoOptICMPv6ID
	ProtoOptSrcKey
	ProtoOptDstKey
	ProtoOptReplySrcKey
	ProtoOptReplyDstKey
	ProtoOptMaskSrcKey
	ProtoOptMaskDstKey
	ProtoOptTupleSrcKey
	ProtoOptTupleDstKey
)

// protoOptionSet is a set of protocol options.
type protoOptionSet uint32

func (s protoOptionSet) has(o ProtoOption) bool { return s>>o&1 != 0 }

// ProtoOptionNames are the long names and their aliases; the first is the one
// that messages use.
var ProtoOptionNames = [...][]string{
	ProtoOptSrcPort:      {"sport", "orig-port-src"},
	ProtoOptDstPort:      {"dport", "orig-port-dst"},
	ProtoOptReplySrcPort: {"reply-port-src"},
	ProtoOptReplyDstPort: {"reply-port-dst"},
	ProtoOptMaskSrcPort:  {"mask-port-src"},
	ProtoOptMaskDstPort:  {"mask-port-dst"},
	ProtoOptState:        {"state"},
	ProtoOptTupleSrcPort: {"tuple-port-src"},
	ProtoOptTupleDstPort: {"tuple-port-dst"},
	ProtoOptOrigVTag:     {"orig-vtag"},
	ProtoOptReplyVTag:    {"reply-vtag"},
	ProtoOptRole:         {"role"},
	ProtoOptICMPType:     {"icmp-type"},
	ProtoOptICMPCode:     {"icmp-code"},
	ProtoOptICMPID:       {"icmp-id"},
	ProtoOptICMPv6Type:   {"icmpv6-type"},
	ProtoOptICMPv6Code:   {"icmpv6-code"},
	ProtoOptICMPv6ID:     {"icmpv6-id"},
	ProtoOptSrcKey:       {"srckey", "orig-key-src"},
	ProtoOptDstKey:       {"dstkey", "orig-key-dst"},
	ProtoOptReplySrcKey:  {"reply-key-src"},
	ProtoOptReplyDstKey:  {"reply-key-dst"},
	ProtoOptMaskSrcKey:   {"mask-key-src"},
	ProtoOptMaskDstKey:   {"mask-key-dst"},
	ProtoOptTupleSrcKey:  {"tuple-key-src"},
	ProtoOptTupleDstKey:  {"tuple-key-dst"},
}

// Protocol is what -p names: its options in the order of the columns of its
// legality table, and that table.
type Protocol struct {
	Number  ctnetlink.Protocol
	Name    string // "" for a protocol without options
	Options []ProtoOption
	legal   *protoLegality
	// origPair and replyPair are the messages for a missing pair.
	origPair, replyPair string
	// members are those of a list of protocols, which has no number.
	members []*Protocol

	make sync.Once
	made []Word // see Words
}

// protoLegality has a sign for each option of a protocol, see legality.
type protoLegality struct {
	list          string // -L -E
	delete        string // -D, where it takes more than -L: what saved lines have
	update        string // -U
	create        string // -I -A
	get           string // -G
	createExpect  string // -I expect
	namedByExpect string // -D -G expect
}

// row returns the signs for a command, "" where every option is refused.
func (l *protoLegality) row(c Command, t Table) string {
	switch c {
	case CmdList, CmdEvents, CmdDelete, CmdGet:
		switch {
		case t == TableExpect && (c == CmdDelete || c == CmdGet):
			return l.namedByExpect
		case t == TableExpect:
			return ""
		case c == CmdGet:
			return l.get
		case c == CmdDelete && l.delete != "":
			return l.delete
		}
		return l.list
	case CmdUpdate:
		return l.update
	case CmdCreate, CmdAdd:
		if t == TableExpect {
			return l.createExpect
		}
		return l.create
	}
	return ""
}

// The tables are laid out by the compiler: no call of the program waits until
// they are made. So each is written out, and takes nothing from another.
var (
	portLegality = protoLegality{
		//     s d r r m m t t
		list:   "o o o o . . . .",
		update: "o o o o . . . .",
		create: "p p p p . . . .", get: "p p p p . . . .",
		createExpect: "+ + . . + + + +", namedByExpect: "+ + + + . . . .",
	}
	tcpLegality = protoLegality{
		//     s d r r m m S t t
		list:   "o o o o . . o . .",
		update: "o o o o . . o . .",
		create: "p p p p . . + . .", get: "p p p p . . o . .",
		createExpect: "+ + . . + + . + +", namedByExpect: "+ + + + . . . . .",
	}
	sctpLegality = protoLegality{
		//     s d r r m m S t t v v
		list:   "o o o o . . o . . . .",
		delete: "o o o o . . o . . o o",
		update: "o o o o . . o . . o o",
		create: "p p p p . . + . . + +", get: "p p p p . . o . . o o",
		createExpect: "+ + . . + + . + + + +", namedByExpect: "+ + + + . . . . . . .",
	}
	dccpLegality = protoLegality{
		//     s d r r m m S t t R
		list:   "o o o o . . o . . .",
		delete: "o o o o . . o . . o",
		update: "o o o o . . o . . .",
		create: "p p p p . . + . . +", get: "p p p p . . o . . .",
		createExpect: "+ + . . + + . + + +", namedByExpect: "+ + + + . . . . . .",
	}
	greLegality = protoLegality{
		//     s d r r m m t t
		list:   "o o o o . . . .",
		update: "o o o o . . . .",
		create: "p p p p . . . .", get: "p p p p . . . .",
		createExpect: "+ + + + + + + +", namedByExpect: "+ + + + . . . .",
	}
	icmpLegality = protoLegality{
		//     t c i
		list:   "o o o",
		update: "o o o",
		create: "+ + o", get: "+ + o",
	}
)

const (
	origPortPair  = "you have to specify `--sport' and `--dport'"
	replyPortPair = "you have to specify `--reply-src-port' and `--reply-dst-port'"
)

// Protocols are the eight that have options of their own.
var Protocols = []*Protocol{
	{
		Number: ctnetlink.ProtoTCP, Name: "tcp", legal: &tcpLegality,
		origPair:  origPortPair,
		replyPair: replyPortPair,
		Options: []ProtoOption{
			ProtoOptSrcPort, ProtoOptDstPort, ProtoOptReplySrcPort, ProtoOptReplyDstPort, ProtoOptMaskSrcPort,
			ProtoOptMaskDstPort, ProtoOptState, ProtoOptTupleSrcPort, ProtoOptTupleDstPort,
		},
	},
	{
		Number: ctnetlink.ProtoUDP, Name: "udp", legal: &portLegality,
		origPair:  origPortPair,
		replyPair: replyPortPair,
		Options: []ProtoOption{
			ProtoOptSrcPort, ProtoOptDstPort, ProtoOptReplySrcPort, ProtoOptReplyDstPort, ProtoOptMaskSrcPort,
			ProtoOptMaskDstPort, ProtoOptTupleSrcPort, ProtoOptTupleDstPort,
		},
	},
	{
		Number: ctnetlink.ProtoUDPLite, Name: "udplite", legal: &portLegality,
		origPair:  origPortPair,
		replyPair: replyPortPair,
		Options: []ProtoOption{
			ProtoOptSrcPort, ProtoOptDstPort, ProtoOptReplySrcPort, ProtoOptReplyDstPort, ProtoOptMaskSrcPort,
			ProtoOptMaskDstPort, ProtoOptTupleSrcPort, ProtoOptTupleDstPort,
		},
	},
	{
		Number: ctnetlink.ProtoSCTP, Name: "sctp", legal: &sctpLegality,
		origPair:  origPortPair,
		replyPair: replyPortPair,
		Options: []ProtoOption{
			ProtoOptSrcPort, ProtoOptDstPort, ProtoOptReplySrcPort, ProtoOptReplyDstPort, ProtoOptMaskSrcPort,
			ProtoOptMaskDstPort, ProtoOptState, ProtoOptTupleSrcPort, ProtoOptTupleDstPort, ProtoOptOrigVTag,
			ProtoOptReplyVTag,
		},
	},
	{
		Number: ctnetlink.ProtoDCCP, Name: "dccp", legal: &dccpLegality,
		origPair:  origPortPair,
		replyPair: "you have to specify `--reply-port-src' and `--report-port-dst'",
		Options: []ProtoOption{
			ProtoOptSrcPort, ProtoOptDstPort, ProtoOptReplySrcPort, ProtoOptReplyDstPort, ProtoOptMaskSrcPort,
			ProtoOptMaskDstPort, ProtoOptState, ProtoOptTupleSrcPort, ProtoOptTupleDstPort, ProtoOptRole,
		},
	},
	{
		Number: ctnetlink.ProtoICMP, Name: "icmp", legal: &icmpLegality,
		Options: []ProtoOption{
			ProtoOptICMPType, ProtoOptICMPCode, ProtoOptICMPID,
		},
	},
	{
		Number: ctnetlink.ProtoICMPv6, Name: "icmpv6", legal: &icmpLegality,
		Options: []ProtoOption{
			ProtoOptICMPv6Type, ProtoOptICMPv6Code, ProtoOptICMPv6ID,
		},
	},
	{
		Number: ctnetlink.ProtoGRE, Name: "gre", legal: &greLegality,
		origPair:  "you have to specify `--srckey' and `--dstkey'",
		replyPair: "you have to specify `--reply-src-key' and `--reply-dst-key'",
		Options: []ProtoOption{
			ProtoOptSrcKey, ProtoOptDstKey, ProtoOptReplySrcKey, ProtoOptReplyDstKey, ProtoOptMaskSrcKey,
			ProtoOptMaskDstKey, ProtoOptTupleSrcKey, ProtoOptTupleDstKey,
		},
	},
}

// ProtocolByName finds what -p names: one of the eight in any case, a name of
// the system's list, or a number. A number of one of the eight has its
// options, a name of the system's list has none.
func ProtocolByName(name string) (*Protocol, bool) {
	for _, p := range Protocols {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	n, ok := parseUint(name, 255)
	if !ok {
		if n, ok := systemProtocol(name); ok {
			return &Protocol{Number: n}, true
		}
		return nil, false
	}
	for _, p := range Protocols {
		if uint64(p.Number) == n {
			return p, true
		}
	}
	return &Protocol{Number: ctnetlink.Protocol(n)}, true
}

// Words returns the options that -p makes known.
func (p *Protocol) Words() []Word {
	p.make.Do(func() {
		for _, o := range p.Options {
			for _, name := range ProtoOptionNames[o] {
				p.made = append(p.made, Word{Long: name, Argument: NeedArgument, Protocol: o})
			}
		}
	})
	return p.made
}

// protocol reads -p. The last one counts, but the options of all are known.
func (p *parser) protocol(value string) error {
	proto, ok := ProtocolByName(value)
	if !ok {
		return p.protocolList(value)
	}
	p.lists.unset(OptProtoNum, 0)
	p.protocols = append(p.protocols, proto)
	p.req.proto = proto
	p.req.Orig.Proto, p.req.Orig.Has = proto.Number, p.req.Orig.Has|ctnetlink.FieldProto
	return nil
}

// protoOption takes an option of a protocol.
func (p *parser) protoOption(o ProtoOption, value string) error {
	r := p.req
	r.protoGiven |= 1 << o
	if isList(value) {
		p.tupleList(o, value)
	} else {
		p.lists.unset(0, o)
	}
	port := uint16(atol(value))
	if isKey(o) {
		key, _ := strtoul(value, 0)
		port = uint16(key)
	}
	p.noteMisread(o, value)
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
		return setRole(&r.Info, value)
	}
	return nil
}

// stateProtocol returns the last protocol that has states.
func (p *parser) stateProtocol() (proto *Protocol) {
	for _, q := range p.protocols {
		if q.each()[0].Number.StateNames() != nil {
			proto = q
		}
	}
	return proto
}

// state reads --state by the names of the last protocol that has states.
func (p *parser) state(value string) error {
	proto := p.stateProtocol()
	state, ok := stateByName(proto.Number, value)
	if !ok || proto.members != nil {
		word := "unknown"
		if proto.Number == ctnetlink.ProtoDCCP {
			word = "Unknown"
		}
		return p.stateList(proto, value, Usagef("%s %s state `%s'", word, strings.ToUpper(proto.Name), value))
	}
	p.lists.unset(0, ProtoOptState)
	info := &p.req.Info
	info.Proto, info.State, info.Has = proto.Number, state, info.Has|ctnetlink.InfoState
	return nil
}

func stateByName(proto ctnetlink.Protocol, value string) (ctnetlink.State, bool) {
	if proto == ctnetlink.ProtoTCP && value == "LISTEN" {
		value = "SYN_SENT2"
	}
	for i, name := range proto.StateNames() {
		if name == value {
			return ctnetlink.NewState(proto, uint8(i)), true
		}
	}
	return 0, false
}

func setRole(info *ctnetlink.ProtoInfo, value string) error {
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

// isList reports whether a value is a list, a range or a negation. A range begins
// with a digit: a minus sign in front is that of a number, and one in a word that of
// a name, as in ftp-data.
func isList(value string) bool {
	return strings.HasPrefix(value, "!") || strings.Contains(value, ",") ||
		strings.Contains(value, "-") && digit(strings.TrimLeft(value, " ")[0]) < 10
}
