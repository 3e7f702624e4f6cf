package cmd

import _ "embed" // the help texts

// The texts are files, so that they can be read and edited as text.
var (
	//go:embed help/overview.txt
	helpText string
	//go:embed help/load.txt
	loadHelp string
	//go:embed help/save.txt
	saveHelp string
	//go:embed help/summary.txt
	summaryHelp string
	//go:embed help/stats.txt
	statsHelp string
	//go:embed help/filters.txt
	filtersHelp string
	//go:embed help/output.txt
	outputHelp string
	//go:embed help/protocols.txt
	protocolsHelp string
)

var helpTopics = []struct{ name, short, text string }{
	{"filters", "Which entries a command acts on", filtersHelp},
	{"output", "The forms that -o chooses, and what a line says", outputHelp},
	{"protocols", "The options of each protocol", protocolsHelp},
}

// optionHelp is the line of help of an option in the second grammar.
func optionHelp(w *word) string {
	if w.protocol != 0 {
		return protoOptionHelp[w.protocol].text
	}
	if o := w.option.own(); o != nil {
		return o.help.text
	}
	return genericHelp[w.option].text
}

// optionValue is the word that stands for an option's value in help.
func optionValue(w *word) string {
	if w.protocol != 0 {
		return protoOptionHelp[w.protocol].value
	}
	if o := w.option.own(); o != nil {
		return o.help.value
	}
	return genericHelp[w.option].value
}

type optionText struct{ value, text string }

var genericHelp = [numClassic]optionText{
	optSrc:        {"ip[/len]", "source address of the original direction"},
	optDst:        {"ip[/len]", "destination address of the original direction"},
	optReplySrc:   {"ip[/len]", "source address of the reply direction"},
	optReplyDst:   {"ip[/len]", "destination address of the reply direction"},
	optProtoNum:   {"proto", "protocol: tcp udp udplite sctp dccp icmp icmpv6 gre, a name of /etc/protocols, or a number"},
	optTimeout:    {"seconds", "timeout"},
	optStatus:     {"list", "status: ASSURED SEEN_REPLY UNSET FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD UNREPLIED, !NAME for its absence"},
	optZero:       {"", "set the counters to 0 while listing"},
	optEventMask:  {"list", "kinds of events: ALL NEW UPDATES DESTROY"},
	optTupleSrc:   {"ip[/len]", "source address of the expected connection"},
	optTupleDst:   {"ip[/len]", "destination address of the expected connection"},
	optMaskSrc:    {"ip", "which bits of the source address count"},
	optMaskDst:    {"ip", "which bits of the destination address count"},
	optMark:       {"value[/mask]", "mark"},
	optID:         {"id", "the entry's id, as -o id shows it"},
	optFamily:     {"family", "ipv4 or ipv6"},
	optSrcNAT:     {"ip[/len][:port]", "source translated, to that address and port if given"},
	optDstNAT:     {"ip[/len][:port]", "destination translated, to that address and port if given"},
	optAnyNAT:     {"ip[/len][:port]", "source or destination translated"},
	optOutput:     {"list", "output: extended id ktimestamp labels timestamp xml, or alone save json jsonl csv table netlink"},
	optSecMark:    {"value", "security mark"},
	optBufferSize: {"bytes", "size of the socket's receive buffer"},
	optZone:       {"zone", "zone of both directions"},
	optLabel:      {"list", "labels that must all be set"},
	optLabelAdd:   {"list", "labels to set"},
	optLabelDel:   {"list", "labels to remove, all without a list"},
	optOrigZone:   {"zone", "zone of the original direction"},
	optReplyZone:  {"zone", "zone of the reply direction"},
	optLabelMap:   {"path", "file of label names (default " + defaultLabelMap + ")"},
}

var protoOptionHelp = [...]optionText{
	poSrcPort:      {"port", "source port of the original direction"},
	poDstPort:      {"port", "destination port of the original direction"},
	poReplySrcPort: {"port", "source port of the reply direction"},
	poReplyDstPort: {"port", "destination port of the reply direction"},
	poMaskSrcPort:  {"bits", "which bits of the expected source port count"},
	poMaskDstPort:  {"bits", "which bits of the expected destination port count"},
	poState:        {"state", "state of the protocol (conntrack help protocols)"},
	poTupleSrcPort: {"port", "source port of the expected connection"},
	poTupleDstPort: {"port", "destination port of the expected connection"},
	poOrigVTag:     {"tag", "SCTP verification tag of the original direction"},
	poReplyVTag:    {"tag", "SCTP verification tag of the reply direction"},
	poRole:         {"role", "DCCP role of the original direction: client or server"},
	poICMPType:     {"type", "ICMP type, a number"},
	poICMPCode:     {"code", "ICMP code, a number"},
	poICMPID:       {"id", "ICMP query id"},
	poICMPv6Type:   {"type", "ICMPv6 type, a number"},
	poICMPv6Code:   {"code", "ICMPv6 code, a number"},
	poICMPv6ID:     {"id", "ICMPv6 query id"},
	poSrcKey:       {"key", "GRE source key of the original direction"},
	poDstKey:       {"key", "GRE destination key of the original direction"},
	poReplySrcKey:  {"key", "GRE source key of the reply direction"},
	poReplyDstKey:  {"key", "GRE destination key of the reply direction"},
	poMaskSrcKey:   {"bits", "which bits of the expected source key count"},
	poMaskDstKey:   {"bits", "which bits of the expected destination key count"},
	poTupleSrcKey:  {"key", "GRE source key of the expected connection"},
	poTupleDstKey:  {"key", "GRE destination key of the expected connection"},
}
