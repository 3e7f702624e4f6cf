package cmd

import (
	"bufio"
	"os"
	"strings"
	"sync"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// protoOption is an option of a protocol. An option of the same name is the
// same option in every protocol that has it.
type protoOption uint8

const (
	_ protoOption = iota
	poSrcPort
	poDstPort
	poReplySrcPort
	poReplyDstPort
	poMaskSrcPort
	poMaskDstPort
	poState
	poTupleSrcPort
	poTupleDstPort
	poOrigVTag
	poReplyVTag
	poRole
	poICMPType
	poICMPCode
	poICMPID
	poICMPv6Type
	poICMPv6Code
	poICMPv6ID
	poSrcKey
	poDstKey
	poReplySrcKey
	poReplyDstKey
	poMaskSrcKey
	poMaskDstKey
	poTupleSrcKey
	poTupleDstKey
)

// protoOptionSet is a set of protocol options.
type protoOptionSet uint32

func (s protoOptionSet) has(o protoOption) bool { return s>>o&1 != 0 }

// protoOptionNames are the long names and their aliases; the first is the one
// that messages use.
var protoOptionNames = [...][]string{
	poSrcPort:      {"sport", "orig-port-src"},
	poDstPort:      {"dport", "orig-port-dst"},
	poReplySrcPort: {"reply-port-src"},
	poReplyDstPort: {"reply-port-dst"},
	poMaskSrcPort:  {"mask-port-src"},
	poMaskDstPort:  {"mask-port-dst"},
	poState:        {"state"},
	poTupleSrcPort: {"tuple-port-src"},
	poTupleDstPort: {"tuple-port-dst"},
	poOrigVTag:     {"orig-vtag"},
	poReplyVTag:    {"reply-vtag"},
	poRole:         {"role"},
	poICMPType:     {"icmp-type"},
	poICMPCode:     {"icmp-code"},
	poICMPID:       {"icmp-id"},
	poICMPv6Type:   {"icmpv6-type"},
	poICMPv6Code:   {"icmpv6-code"},
	poICMPv6ID:     {"icmpv6-id"},
	poSrcKey:       {"srckey", "orig-key-src"},
	poDstKey:       {"dstkey", "orig-key-dst"},
	poReplySrcKey:  {"reply-key-src"},
	poReplyDstKey:  {"reply-key-dst"},
	poMaskSrcKey:   {"mask-key-src"},
	poMaskDstKey:   {"mask-key-dst"},
	poTupleSrcKey:  {"tuple-key-src"},
	poTupleDstKey:  {"tuple-key-dst"},
}

// protocol is what -p names: its options in the order in which their legality
// is judged, and for each kind of command the signs of the legality table.
type protocol struct {
	number  uint8
	name    string // "" for a protocol without options
	options []protoOption
	legal   *protoLegality
	// origPair and replyPair are the messages for a missing pair.
	origPair, replyPair string
	// members are those of a list of protocols, which has no number.
	members []*protocol

	make sync.Once
	made []word // see words
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
	case cmdList, cmdEvents, cmdDelete, cmdGet:
		switch {
		case t == tableExpect && (c == cmdDelete || c == cmdGet):
			return l.namedByExpect
		case t == tableExpect:
			return ""
		case c == cmdGet:
			return l.get
		case c == cmdDelete && l.delete != "":
			return l.delete
		}
		return l.list
	case cmdUpdate:
		return l.update
	case cmdCreate, cmdAdd:
		if t == tableExpect {
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

// protocols are the eight that have options of their own.
var protocols = []*protocol{
	{number: ctnetlink.ProtoTCP, name: "tcp", options: []protoOption{poSrcPort, poDstPort, poReplySrcPort, poReplyDstPort,
		poMaskSrcPort, poMaskDstPort, poState, poTupleSrcPort, poTupleDstPort}, legal: &tcpLegality, origPair: origPortPair, replyPair: replyPortPair},
	{number: ctnetlink.ProtoUDP, name: "udp", options: []protoOption{poSrcPort, poDstPort, poReplySrcPort, poReplyDstPort,
		poMaskSrcPort, poMaskDstPort, poTupleSrcPort, poTupleDstPort}, legal: &portLegality, origPair: origPortPair, replyPair: replyPortPair},
	{number: ctnetlink.ProtoUDPLite, name: "udplite", options: []protoOption{poSrcPort, poDstPort, poReplySrcPort, poReplyDstPort,
		poMaskSrcPort, poMaskDstPort, poTupleSrcPort, poTupleDstPort}, legal: &portLegality, origPair: origPortPair, replyPair: replyPortPair},
	{number: ctnetlink.ProtoSCTP, name: "sctp", options: []protoOption{poSrcPort, poDstPort, poReplySrcPort, poReplyDstPort,
		poMaskSrcPort, poMaskDstPort, poState, poTupleSrcPort, poTupleDstPort, poOrigVTag, poReplyVTag}, legal: &sctpLegality,
		origPair: origPortPair, replyPair: replyPortPair},
	{number: ctnetlink.ProtoDCCP, name: "dccp", options: []protoOption{poSrcPort, poDstPort, poReplySrcPort, poReplyDstPort,
		poMaskSrcPort, poMaskDstPort, poState, poTupleSrcPort, poTupleDstPort, poRole}, legal: &dccpLegality,
		origPair: origPortPair, replyPair: "you have to specify `--reply-port-src' and `--report-port-dst'"},
	{number: ctnetlink.ProtoICMP, name: "icmp", options: []protoOption{poICMPType, poICMPCode, poICMPID}, legal: &icmpLegality},
	{number: ctnetlink.ProtoICMPv6, name: "icmpv6", options: []protoOption{poICMPv6Type, poICMPv6Code, poICMPv6ID}, legal: &icmpLegality},
	{number: ctnetlink.ProtoGRE, name: "gre", options: []protoOption{poSrcKey, poDstKey, poReplySrcKey, poReplyDstKey,
		poMaskSrcKey, poMaskDstKey, poTupleSrcKey, poTupleDstKey}, legal: &greLegality,
		origPair:  "you have to specify `--srckey' and `--dstkey'",
		replyPair: "you have to specify `--reply-src-key' and `--reply-dst-key'"},
}

// protocolByName finds what -p names: one of the eight in any case, a name of
// the system's list, or a number. A number of one of the eight has its
// options, a name of the system's list has none.
func protocolByName(name string) (*protocol, bool) {
	for _, p := range protocols {
		if strings.EqualFold(p.name, name) {
			return p, true
		}
	}
	n, ok := parseUint(name, 255)
	if !ok {
		if n, ok := systemProtocol(name); ok {
			return &protocol{number: n}, true
		}
		return nil, false
	}
	for _, p := range protocols {
		if uint64(p.number) == n {
			return p, true
		}
	}
	return &protocol{number: uint8(n)}, true
}

// systemProtocol looks a name or alias up in /etc/protocols (protocols(5)).
func systemProtocol(name string) (uint8, bool) {
	if name == "" {
		return 0, false
	}
	file, err := os.Open("/etc/protocols")
	if err != nil {
		return 0, false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		for i, f := range fields {
			if i != 1 && f == name && len(fields) > 1 {
				n, ok := parseUint(fields[1], 255)
				return uint8(n), ok
			}
		}
	}
	return 0, false
}

// words returns the options that -p makes known.
func (p *protocol) words() []word {
	p.make.Do(func() {
		for _, o := range p.options {
			for _, name := range protoOptionNames[o] {
				p.made = append(p.made, word{long: name, argument: needArgument, protocol: o})
			}
		}
	})
	return p.made
}
