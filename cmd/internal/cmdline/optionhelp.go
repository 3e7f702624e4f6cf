package cmdline

import "strings"

// OptionText describes an option in help: the placeholder for its value, "" where
// it has none, and what it means.
type OptionText struct{ Value, Text string }

// Help returns the help of an option.
func (w *Word) Help() OptionText {
	if w.Protocol != 0 {
		return protoOptionHelp[w.Protocol]
	}
	if x := w.Option.Extension(); x != nil {
		return x.Help
	}
	switch w.Long {
	case "ipv4":
		return OptionText{"", "IPv4 only, as -f ipv4"}
	case "ipv6":
		return OptionText{"", "IPv6 only, as -f ipv6"}
	}
	return genericHelp[w.Option]
}

// HelpFor returns the help of an option of a command.
func (w *Word) HelpFor(c Command) OptionText {
	if w.Protocol == 0 && w.Option == OptOutput {
		return OptionText{"list", outputHelp(c)}
	}
	for i := range commandHelp {
		h := &commandHelp[i]
		if w.Option == h.option && w.Protocol == h.proto && strings.IndexByte(h.commands, byte(c)) >= 0 {
			return h.OptionText
		}
	}
	return w.Help()
}

// commandHelp is the help of options that mean something else for some commands,
// or take other values: an entry that is created or named has one address, and
// -U changes what selects entries for others.
var commandHelp = []struct {
	commands string
	option   Option
	proto    ProtoOption
	OptionText
}{
	{"GIA", OptSrc, 0, OptionText{"ip", "source address of the original direction"}},
	{"GIA", OptDst, 0, OptionText{"ip", "destination address of the original direction"}},
	{"GIA", OptReplySrc, 0, OptionText{"ip", "source address of the reply direction"}},
	{"GIA", OptReplyDst, 0, OptionText{"ip", "destination address of the reply direction"}},
	{"IA", OptSrcNAT, 0, OptionText{"ip[:port]", "translate the source to this address and port"}},
	{"IA", OptDstNAT, 0, OptionText{"ip[:port]", "translate the destination to this address and port"}},
	{"IA", OptTimeout, 0, OptionText{"seconds", "timeout of the entry"}},
	{"D", OptTimeout, 0, OptionText{"seconds", "not compared, so that a saved line finds its entry again"}},
	{"U", OptTimeout, 0, OptionText{"seconds", "new timeout"}},
	{"IA", OptStatus, 0, OptionText{"list", "status bits to set: " + statusBits}},
	{"U", OptStatus, 0, OptionText{"list", "status bits to set in addition: " + statusBits}},
	{"IA", OptMark, 0, OptionText{"value", "mark of the entry"}},
	{"U", OptMark, 0, OptionText{"value[/mask]", "new mark: (old & ~mask) ^ value"}},
	{"IA", 0, ProtoOptState, OptionText{"state", "state of the connection (see `conntrack help protocols')"}},
	{"R", OptDryRun, 0, OptionText{"", "show what each line would do, and change nothing"}},
	{"U", 0, ProtoOptState, OptionText{"state", "new state (see `conntrack help protocols')"}},
}

const statusBits = "ASSURED SEEN_REPLY UNSET FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD"

var genericHelp = [NumClassic]OptionText{
	OptSrc:      {"ip[/len]", "source address of the original direction"},
	OptDst:      {"ip[/len]", "destination address of the original direction"},
	OptReplySrc: {"ip[/len]", "source address of the reply direction"},
	OptReplyDst: {"ip[/len]", "destination address of the reply direction"},
	OptProtoNum: {"proto", "protocol: tcp udp udplite sctp dccp icmp icmpv6 gre, a name of /etc/protocols, or a number"},
	OptTimeout:  {"seconds", "timeout"},
	OptStatus: {"list", "status: ASSURED SEEN_REPLY UNSET FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD UNREPLIED, " +
		"or !NAME"},
	OptZero:      {"", "reset the counters to 0 while listing"},
	OptEventMask: {"list", "events to show: ALL NEW UPDATES DESTROY"},
	OptTupleSrc:  {"ip[/len]", "source address of the expected connection"},
	OptTupleDst:  {"ip[/len]", "destination address of the expected connection"},
	OptMaskSrc:   {"ip", "mask for the source address"},
	OptMaskDst:   {"ip", "mask for the destination address"},
	OptMark:      {"value[/mask]", "mark"},
	OptID:        {"id", "id of the entry, as shown by -o id"},
	OptFamily:    {"family", "ipv4 or ipv6"},
	OptSrcNAT:    {"ip[/len][:port]", "source NAT, to this address and port if given"},
	OptDstNAT:    {"ip[/len][:port]", "destination NAT, to this address and port if given"},
	OptAnyNAT:    {"ip[/len][:port]", "source or destination NAT"},
	OptOutput: {"list", "output: extended id ktimestamp labels timestamp userspace xml, " +
		"or alone save json jsonl csv table netlink prom"},
	OptSecMark:    {"value", "security mark"},
	OptBufferSize: {"bytes", "size of the receive buffer of the socket"},
	OptZone:       {"zone", "zone of both directions"},
	OptLabel:      {"list", "labels that must all be set"},
	OptLabelAdd:   {"list", "labels to set"},
	OptLabelDel:   {"list", "labels to remove; without a list, all"},
	OptOrigZone:   {"zone", "zone of the original direction"},
	OptReplyZone:  {"zone", "zone of the reply direction"},
	OptLabelMap:   {"path", "file of label names (default " + DefaultLabelMap + ")"},
}

var protoOptionHelp = [...]OptionText{
	ProtoOptSrcPort:      {"port", "source port of the original direction"},
	ProtoOptDstPort:      {"port", "destination port of the original direction"},
	ProtoOptReplySrcPort: {"port", "source port of the reply direction"},
	ProtoOptReplyDstPort: {"port", "destination port of the reply direction"},
	ProtoOptMaskSrcPort:  {"bits", "mask for the expected source port"},
	ProtoOptMaskDstPort:  {"bits", "mask for the expected destination port"},
	ProtoOptState:        {"state", "state of the connection (see `conntrack help protocols')"},
	ProtoOptTupleSrcPort: {"port", "source port of the expected connection"},
	ProtoOptTupleDstPort: {"port", "destination port of the expected connection"},
	ProtoOptOrigVTag:     {"tag", "SCTP verification tag of the original direction"},
	ProtoOptReplyVTag:    {"tag", "SCTP verification tag of the reply direction"},
	ProtoOptRole:         {"role", "DCCP role of the original direction: client or server"},
	ProtoOptICMPType:     {"type", "ICMP type, a name or a number"},
	ProtoOptICMPCode:     {"code", "ICMP code, a number"},
	ProtoOptICMPID:       {"id", "ICMP query id"},
	ProtoOptICMPv6Type:   {"type", "ICMPv6 type, a name or a number"},
	ProtoOptICMPv6Code:   {"code", "ICMPv6 code, a number"},
	ProtoOptICMPv6ID:     {"id", "ICMPv6 query id"},
	ProtoOptSrcKey:       {"key", "GRE source key of the original direction"},
	ProtoOptDstKey:       {"key", "GRE destination key of the original direction"},
	ProtoOptReplySrcKey:  {"key", "GRE source key of the reply direction"},
	ProtoOptReplyDstKey:  {"key", "GRE destination key of the reply direction"},
	ProtoOptMaskSrcKey:   {"bits", "mask for the expected source key"},
	ProtoOptMaskDstKey:   {"bits", "mask for the expected destination key"},
	ProtoOptTupleSrcKey:  {"key", "GRE source key of the expected connection"},
	ProtoOptTupleDstKey:  {"key", "GRE destination key of the expected connection"},
}
