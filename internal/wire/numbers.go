package wire

// Netlink framing (linux/netlink.h, netlink(7)).
const (
	HeaderLen     = 16 // struct nlmsghdr: length u32, type u16, flags u16, seq u32, port id u32
	GenLen        = 4  // struct nfgenmsg: family u8, version u8, res_id be16
	HeadLen       = HeaderLen + GenLen
	AttrHeaderLen = 4 // struct nlattr: length u16, type u16

	TypeNoop    = 1  // NLMSG_NOOP
	TypeError   = 2  // NLMSG_ERROR: also an acknowledgement, with errno 0
	TypeDone    = 3  // NLMSG_DONE: end of a dump
	TypeOverrun = 4  // NLMSG_OVERRUN
	TypeMin     = 16 // NLMSG_MIN_TYPE: below are control messages

	// Flags of a message header.
	FlagRequest      = 0x01  // NLM_F_REQUEST
	FlagMulti        = 0x02  // NLM_F_MULTI
	FlagAck          = 0x04  // NLM_F_ACK
	FlagEcho         = 0x08  // NLM_F_ECHO: the requester receives the event of its own request
	FlagDumpFiltered = 0x20  // NLM_F_DUMP_FILTERED, on the messages of a filtered dump
	FlagCapped       = 0x100 // NLM_F_CAPPED, on an error: the request's payload is left out
	FlagExcl         = 0x200 // NLM_F_EXCL, on NEW requests and events
	FlagCreate       = 0x400 // NLM_F_CREATE, on NEW requests and events
	FlagDump         = 0x300 // NLM_F_DUMP: NLM_F_ROOT | NLM_F_MATCH, on GET requests

	AttrNested   = 1 << 15 // NLA_F_NESTED
	AttrNetOrder = 1 << 14 // NLA_F_NET_BYTEORDER
	AttrTypeMask = ^uint16(AttrNested | AttrNetOrder)
)

// Subsystems of nfnetlink (linux/netfilter/nfnetlink.h): the high byte of a
// message's type.
const (
	SubsysConntrack = 1 // NFNL_SUBSYS_CTNETLINK
	SubsysExpect    = 2 // NFNL_SUBSYS_CTNETLINK_EXP
)

// Message types (enum cntl_msg_types and ctnl_exp_msg_types): the low byte.
const (
	MsgNew            = 0 // IPCTNL_MSG_CT_NEW, IPCTNL_MSG_EXP_NEW
	MsgGet            = 1
	MsgDelete         = 2
	MsgGetCtrZero     = 3 // conntrack only
	MsgGetStatsCPU    = 4
	MsgGetStats       = 5
	MsgGetDying       = 6
	MsgGetUnconfirmed = 7
	MsgExpGetStatsCPU = 3 // IPCTNL_MSG_EXP_GET_STATS_CPU
)

// Attributes inside nests (enums ctattr_* of nfnetlink_conntrack.h).
const (
	TupleIP    = 1 // CTA_TUPLE_IP
	TupleProto = 2 // CTA_TUPLE_PROTO
	TupleZone  = 3 // CTA_TUPLE_ZONE

	IPv4Src = 1 // CTA_IP_V4_SRC
	IPv4Dst = 2
	IPv6Src = 3
	IPv6Dst = 4

	ProtoNum        = 1 // CTA_PROTO_NUM
	ProtoSrcPort    = 2
	ProtoDstPort    = 3
	ProtoICMPID     = 4
	ProtoICMPType   = 5
	ProtoICMPCode   = 6
	ProtoICMPv6ID   = 7
	ProtoICMPv6Type = 8
	ProtoICMPv6Code = 9

	InfoTCP  = 1 // CTA_PROTOINFO_TCP
	InfoDCCP = 2
	InfoSCTP = 3

	InfoTCPState       = 1 // CTA_PROTOINFO_TCP_STATE
	InfoTCPWScaleOrig  = 2
	InfoTCPWScaleReply = 3
	InfoTCPFlagsOrig   = 4
	InfoTCPFlagsReply  = 5

	InfoDCCPState        = 1 // CTA_PROTOINFO_DCCP_STATE
	InfoDCCPRole         = 2
	InfoDCCPHandshakeSeq = 3

	InfoSCTPState     = 1 // CTA_PROTOINFO_SCTP_STATE
	InfoSCTPVTagOrig  = 2
	InfoSCTPVTagReply = 3

	CountersPackets   = 1 // CTA_COUNTERS_PACKETS
	CountersBytes     = 2
	CountersPackets32 = 3 // CTA_COUNTERS32_PACKETS, old kernels
	CountersBytes32   = 4

	TimestampStart = 1 // CTA_TIMESTAMP_START
	TimestampStop  = 2

	NATv4MinIP = 1 // CTA_NAT_V4_MINIP
	NATv4MaxIP = 2
	NATProto   = 3
	NATv6MinIP = 4
	NATv6MaxIP = 5

	NATPortMin = 1 // CTA_PROTONAT_PORT_MIN
	NATPortMax = 2

	SeqAdjPos    = 1 // CTA_SEQADJ_CORRECTION_POS
	SeqAdjBefore = 2
	SeqAdjAfter  = 3

	SynproxyISN   = 1 // CTA_SYNPROXY_ISN
	SynproxyITS   = 2
	SynproxyTSOff = 3

	FilterOrigFlags  = 1 // CTA_FILTER_ORIG_FLAGS
	FilterReplyFlags = 2

	// Flags in both of them: the fields of the tuple to compare (CTA_FILTER_FLAG_*
	// of nf_conntrack_netlink.c).
	FilterIPSrc      = 1 << 0
	FilterIPDst      = 1 << 1
	FilterZone       = 1 << 2
	FilterProto      = 1 << 3
	FilterSrcPort    = 1 << 4
	FilterDstPort    = 1 << 5
	FilterICMPType   = 1 << 6
	FilterICMPCode   = 1 << 7
	FilterICMPID     = 1 << 8
	FilterICMPv6Type = FilterICMPType << FilterICMPv6Shift
	FilterICMPv6Code = FilterICMPCode << FilterICMPv6Shift
	FilterICMPv6ID   = FilterICMPID << FilterICMPv6Shift
	FilterAll        = 1<<12 - 1

	FilterICMPv6Shift = 3 // from an ICMP flag to ICMPv6's

	HelpName = 1 // CTA_HELP_NAME
	HelpInfo = 2

	SecCtxName = 1 // CTA_SECCTX_NAME

	StatsGlobalEntries = 1 // CTA_STATS_GLOBAL_ENTRIES
	StatsGlobalMax     = 2
)

// Attributes of an expectation (enum ctattr_expect).
const (
	ExpectMaster   = 1
	ExpectTuple    = 2
	ExpectMask     = 3
	ExpectTimeout  = 4
	ExpectID       = 5
	ExpectHelpName = 6
	ExpectZone     = 7
	ExpectFlags    = 8
	ExpectClass    = 9
	ExpectNAT      = 10
	ExpectFn       = 11
	ExpectMax      = 11

	ExpectNATDir   = 1 // CTA_EXPECT_NAT_DIR
	ExpectNATTuple = 2
)
