package ctnetlink

// Netlink framing (linux/netlink.h, netlink(7)).
const (
	nlmsgHeaderLen = 16 // struct nlmsghdr: length u32, type u16, flags u16, seq u32, port id u32
	nfgenLen       = 4  // struct nfgenmsg: family u8, version u8, res_id be16
	headLen        = nlmsgHeaderLen + nfgenLen
	nlaHeaderLen   = 4 // struct nlattr: length u16, type u16

	nlmsgNoop    = 1 // NLMSG_NOOP
	nlmsgError   = 2 // NLMSG_ERROR: also an acknowledgement, with errno 0
	nlmsgDone    = 3 // NLMSG_DONE: end of a dump
	nlmsgOverrun = 4 // NLMSG_OVERRUN

	nlmsgMinType = 16 // NLMSG_MIN_TYPE: below are control messages

	nlaNested   = 1 << 15 // NLA_F_NESTED
	nlaNetOrder = 1 << 14 // NLA_F_NET_BYTEORDER
	nlaTypeMask = ^uint16(nlaNested | nlaNetOrder)
)

// Flags of a netlink message header (linux/netlink.h).
const (
	FlagRequest = 0x01  // NLM_F_REQUEST
	FlagMulti   = 0x02  // NLM_F_MULTI
	FlagAck     = 0x04  // NLM_F_ACK
	FlagExcl    = 0x200 // NLM_F_EXCL, on NEW requests and events
	FlagCreate  = 0x400 // NLM_F_CREATE, on NEW requests and events
	FlagDump    = 0x300 // NLM_F_ROOT | NLM_F_MATCH, on GET requests
)

// Subsystems of nfnetlink (linux/netfilter/nfnetlink.h): the high byte of a
// message's type.
const (
	subsysConntrack = 1 // NFNL_SUBSYS_CTNETLINK
	subsysExpect    = 2 // NFNL_SUBSYS_CTNETLINK_EXP
)

// Message types (enum cntl_msg_types and ctnl_exp_msg_types): the low byte.
const (
	msgNew            = 0 // IPCTNL_MSG_CT_NEW, IPCTNL_MSG_EXP_NEW
	msgGet            = 1
	msgDelete         = 2
	msgGetCtrZero     = 3 // conntrack only
	msgGetStatsCPU    = 4
	msgGetStats       = 5
	msgGetDying       = 6
	msgGetUnconfirmed = 7
	msgExpGetStatsCPU = 3 // IPCTNL_MSG_EXP_GET_STATS_CPU
)

// Address families as ctnetlink numbers them (linux/socket.h), the same on
// every system.
const (
	FamilyAny  = 0  // AF_UNSPEC: both
	FamilyIPv4 = 2  // AF_INET
	FamilyIPv6 = 10 // AF_INET6
)

// Attr is the number of an attribute of a conntrack message (enum ctattr_type
// of nfnetlink_conntrack.h).
type Attr uint16

const (
	AttrTupleOrig      Attr = 1
	AttrTupleReply     Attr = 2
	AttrStatus         Attr = 3
	AttrProtoInfo      Attr = 4
	AttrHelp           Attr = 5
	AttrNATSrc         Attr = 6
	AttrTimeout        Attr = 7
	AttrMark           Attr = 8
	AttrCountersOrig   Attr = 9
	AttrCountersReply  Attr = 10
	AttrUse            Attr = 11
	AttrID             Attr = 12
	AttrNATDst         Attr = 13
	AttrTupleMaster    Attr = 14
	AttrSeqAdjOrig     Attr = 15
	AttrSeqAdjReply    Attr = 16
	AttrSecMark        Attr = 17
	AttrZone           Attr = 18
	AttrSecCtx         Attr = 19
	AttrTimestamp      Attr = 20
	AttrMarkMask       Attr = 21
	AttrLabels         Attr = 22
	AttrLabelsMask     Attr = 23
	AttrSynproxy       Attr = 24
	AttrFilter         Attr = 25
	AttrStatusMask     Attr = 26
	AttrTimestampEvent Attr = 27 // Linux 6.14; absent from older headers
	attrMax                 = 27
)

// AttrSet is a set of attributes.
type AttrSet uint32

// Has tells whether a is in the set.
func (s AttrSet) Has(a Attr) bool { return s>>a&1 != 0 }

// With returns the set with a in it.
func (s AttrSet) With(a Attr) AttrSet { return s | 1<<a }

// Without returns the set without an attribute.
func (s AttrSet) Without(a Attr) AttrSet { return s &^ (1 << a) }

// Attributes inside nests (enums ctattr_* of nfnetlink_conntrack.h).
const (
	tupleIP    = 1 // CTA_TUPLE_IP
	tupleProto = 2 // CTA_TUPLE_PROTO
	tupleZone  = 3 // CTA_TUPLE_ZONE

	ipV4Src = 1 // CTA_IP_V4_SRC
	ipV4Dst = 2
	ipV6Src = 3
	ipV6Dst = 4

	protoNum        = 1 // CTA_PROTO_NUM
	protoSrcPort    = 2
	protoDstPort    = 3
	protoICMPID     = 4
	protoICMPType   = 5
	protoICMPCode   = 6
	protoICMPv6ID   = 7
	protoICMPv6Type = 8
	protoICMPv6Code = 9

	infoTCP  = 1 // CTA_PROTOINFO_TCP
	infoDCCP = 2
	infoSCTP = 3

	infoTCPState       = 1 // CTA_PROTOINFO_TCP_STATE
	infoTCPWScaleOrig  = 2
	infoTCPWScaleReply = 3
	infoTCPFlagsOrig   = 4
	infoTCPFlagsReply  = 5

	infoDCCPState        = 1 // CTA_PROTOINFO_DCCP_STATE
	infoDCCPRole         = 2
	infoDCCPHandshakeSeq = 3

	infoSCTPState     = 1 // CTA_PROTOINFO_SCTP_STATE
	infoSCTPVTagOrig  = 2
	infoSCTPVTagReply = 3

	countersPackets   = 1 // CTA_COUNTERS_PACKETS
	countersBytes     = 2
	countersPackets32 = 3 // CTA_COUNTERS32_PACKETS, old kernels
	countersBytes32   = 4

	timestampStart = 1 // CTA_TIMESTAMP_START
	timestampStop  = 2

	natV4MinIP = 1 // CTA_NAT_V4_MINIP
	natV4MaxIP = 2
	natProto   = 3
	natV6MinIP = 4
	natV6MaxIP = 5

	protoNATPortMin = 1 // CTA_PROTONAT_PORT_MIN
	protoNATPortMax = 2

	helpName = 1 // CTA_HELP_NAME

	secCtxName = 1 // CTA_SECCTX_NAME
)

// Attributes of an expectation (enum ctattr_expect).
const (
	expectMaster   = 1
	expectTuple    = 2
	expectMask     = 3
	expectTimeout  = 4
	expectID       = 5
	expectHelpName = 6
	expectZone     = 7
	expectFlags    = 8
	expectClass    = 9
	expectNAT      = 10
	expectFn       = 11
	expectMax      = 11
)

// Group is a multicast group of nfnetlink (enum nfnetlink_groups).
type Group uint32

const (
	GroupNew           Group = 1 // NFNLGRP_CONNTRACK_NEW
	GroupUpdate        Group = 2
	GroupDestroy       Group = 3
	GroupExpectNew     Group = 4
	GroupExpectUpdate  Group = 5
	GroupExpectDestroy Group = 6
)
