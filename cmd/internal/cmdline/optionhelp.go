package cmdline

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
	return genericHelp[w.Option]
}

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
	OptOutput: {"list", "output: extended id ktimestamp labels timestamp xml, " +
		"or alone save json jsonl csv table netlink"},
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
	ProtoOptICMPType:     {"type", "ICMP type, a number"},
	ProtoOptICMPCode:     {"code", "ICMP code, a number"},
	ProtoOptICMPID:       {"id", "ICMP query id"},
	ProtoOptICMPv6Type:   {"type", "ICMPv6 type, a number"},
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
