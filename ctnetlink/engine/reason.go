package engine

// ReasonCode says why a packet is INVALID, ignored, not judged or dropped. The
// list is closed.
type ReasonCode uint8

// Reason is a reason with its numbers; reasons has their meaning.
type Reason struct {
	Code ReasonCode
	N    [3]int64
}

const (
	NoReason ReasonCode = iota
	BadIPHeader
	CutShort // UNKNOWN: too little of the packet was captured
	HeaderShort
	TupleShort
	BadLength
	BadChecksum
	TCPShort
	BadDataOffset
	BadFlags
	TCPBadNew
	TCPUnasked
	TCPNotLoose
	TCPBadState
	TCPUnanswered
	TCPIgnored
	TCPChallenge
	TCPSeqBeyond
	TCPSeqOver
	TCPAckOver
	TCPSeqUnder
	TCPAckUnder
	TCPBadRST
	TCPAnswersFIN
	TCPAnswersRST
	TableFull
	Clash
	DroppedByRule
	RejectedByRule

	// UDPlite, GRE, protocols without tracking.
	BadCoverage
	ChecksumMissing
	BadUDPLiteChecksum
	GREProtocol
	Untrackable

	// ICMP and ICMPv6.
	ICMPShort
	ICMPChecksum
	ICMPv6Checksum
	ICMPType
	ICMPNoQuery
	ICMPNoRequest
	ErrorQuotesLittle
	ErrorQuotesFragment
	ErrorQuotesBad
	ErrorOfUnknown
	ErrorToOther
	RedirectShort
	RedirectSource
	RedirectOptions

	// SCTP.
	SCTPShort
	SCTPChecksum
	SCTPNoChunk
	SCTPChunkFirst
	SCTPChunkAlone
	SCTPChunkEmpty
	SCTPNotNew
	SCTPTag
	SCTPChunkTag
	SCTPInitShort
	SCTPInitTag
	SCTPState
	SCTPInitAgain
	SCTPHeartbeat

	// IP headers and fragments.
	BadIPAddress
	BadHopByHop
	BadExtension
	LaterFragment
	BadIPOptions
	SourceRouted
	MartianSource
	MartianDestination
	NotJoined
	LinkLocal
	TTLExpired
	FragmentDuplicate
	FragmentOverlap
	FragmentLength
	FragmentTooLong
	FragmentECN
	FragmentMemory
	Fragment6Memory

	NATFull
	NotTranslated
	NoNATAddress
	RedirectTranslated
	MasqueradeMoved
	ErrorChecksum
	BadTCPOptions

	// Helpers.
	FTPMalformed
	ExpectationRefused
	NoExpectedPort
	NotRewritten
	SIPNoCode
	SIPNoCSeq
	SIPBadExpires
	SIPPort
	SIPNoSDPAddress
	SIPBadCSeq
	SIPNoPort
	SIPNoMediaPort
	SIPMediaNotRewritten
	SIPSessionNotRewritten

	reasonsEnd
)

// counter of -S that a reason moves.
type counterOf uint8

const (
	countNothing counterOf = iota
	countInvalid
	countError
	countDrop // counted where the packet is dropped
)

// reason describes a ReasonCode.
type reason struct {
	slug   string // its name in `conntrack help invalid` and in the outputs for programs
	text   string // in words, for fmt.Sprintf with the numbers that it uses
	kernel string // the kernel's own text, for fmt.Sprintf; "": it has none
	sysctl string // the variable that decides, without nf_conntrack_; "": none
	counts counterOf
}

var reasons = [reasonsEnd]reason{
	BadIPHeader:   {slug: "bad-ip-header", text: "the IP header is malformed: the stack drops the packet"},
	CutShort:      {slug: "cut-short", text: "too little of the packet was captured to judge it"},
	HeaderShort:   {"header-short", "the transport header has %d bytes and needs %d", "short packet", "", countInvalid},
	TupleShort:    {"tuple-short", "the transport header has %d bytes, and its ports need %d", "", "", countInvalid},
	BadLength:     {"bad-length", "the length field says %d, the packet has %d bytes", "truncated/malformed packet", "", countInvalid},
	BadChecksum:   {"bad-checksum", "wrong checksum", "bad checksum", "checksum", countInvalid},
	TCPShort:      {"tcp-short", "the TCP header has %d bytes and needs %d", "", "", countInvalid},
	BadDataOffset: {"bad-data-offset", "the data offset says %d, the packet has %d bytes", "truncated packet", "", countInvalid},
	BadFlags:      {"bad-flags", "a combination of flags that no TCP sends", "invalid tcp flag combination", "", countInvalid},
	TCPBadNew: {
		"tcp-no-connection", "a %[1]k that belongs to no known connection; only a SYN begins one", "invalid new", "",
		countInvalid,
	},
	TCPUnasked: {
		"tcp-unasked", "a SYN/ACK, and the SYN that it answers was not seen: it took another way, or is too long ago",
		"invalid new", "", countInvalid,
	},
	TCPNotLoose: {
		"tcp-not-loose", "an ACK of a connection that is not known: its entry has ended, or its beginning was not seen",
		"", "tcp_loose", countInvalid,
	},
	TCPBadState: {
		"tcp-state", "a %[1]k of the %[2]o side does not fit the state %[3]s",
		"packet (index %[1]d) in dir %[2]d invalid, state %[3]s", "", countInvalid,
	},
	TCPUnanswered: {
		"tcp-unanswered", "a %[1]k of the side that opened, and no answer to its SYN was seen: answers take another way",
		"packet (index %[1]d) in dir %[2]d invalid, state %[3]s", "", countInvalid,
	},
	TCPIgnored: {
		"tcp-ignored", "a %[1]k of the %[2]o side does not fit the state %[3]s; it passes, and the answer decides about the entry",
		"packet (index %[1]d) in dir %[2]d ignored, state %[3]s", "", countNothing,
	},
	TCPChallenge: {
		"tcp-challenge-ack", "an ACK that answers a stray SYN, and not the last FIN", "challenge-ack ignored", "", countNothing,
	},
	TCPSeqBeyond: {
		"tcp-seq-beyond", "%[2]d bytes beyond the receiver's window; as it is less than a window, it passes",
		"%[1]d bytes more than expected", "tcp_be_liberal", countNothing,
	},
	TCPSeqOver: {
		"tcp-seq-over", "SEQ is %[2]d bytes above the receiver's window",
		"SEQ is over upper bound %[1]d (over the window of the receiver)", "tcp_be_liberal", countInvalid,
	},
	TCPAckOver: {
		"tcp-ack-over", "acknowledges %[2]d bytes more than were seen from the other side",
		"ACK is over upper bound %[1]d (ACKed data not seen yet)", "tcp_be_liberal", countInvalid,
	},
	TCPSeqUnder: {
		"tcp-seq-under", "data that ends %[2]d bytes below the receiver's window; it was acknowledged long ago",
		"SEQ is under lower bound %[1]d (already ACKed data retransmitted)", "tcp_be_liberal", countNothing,
	},
	TCPAckUnder: {
		"tcp-ack-under", "an old ACK, %[2]d bytes below what is expected at least",
		"ignored ACK under lower bound %[1]d (possible overly delayed)", "tcp_be_liberal", countNothing,
	},
	TCPBadRST: {
		"tcp-rst", "RST with a wrong sequence number: %[1]d bytes below what the other side acknowledged", "invalid rst",
		"tcp_ignore_invalid_rst", countInvalid,
	},
	TCPAnswersFIN: {
		"tcp-answers-fin", "it answers a FIN of the other side that was INVALID too: the entry will end soon",
		"packet (index %d, dir %d) response for index 2 lower timeout to %d", "tcp_timeout_unacknowledged", countNothing,
	},
	TCPAnswersRST: {
		"tcp-answers-rst", "it answers an RST of the other side that was INVALID too: the entry will end soon",
		"packet (index %d, dir %d) response for index 4 lower timeout to %d", "tcp_timeout_unacknowledged", countNothing,
	},
	TableFull: {
		slug: "table-full", text: "the table is full, and no entry may be dropped",
		kernel: "nf_conntrack: table full, dropping packet", sysctl: "max", counts: countDrop,
	},
	Clash:          {slug: "clash", text: "another entry has the same tuple", counts: countDrop},
	DroppedByRule:  {slug: "dropped-by-rule", text: "a rule drops it"},
	RejectedByRule: {slug: "rejected-by-rule", text: "a rule rejects it"},

	BadCoverage: {
		"bad-coverage", "the checksum of UDPlite covers %d of %d bytes", "invalid checksum coverage", "", countInvalid,
	},
	ChecksumMissing: {"checksum-missing", "UDPlite without a checksum", "checksum missing", "", countInvalid},
	BadUDPLiteChecksum: {
		"bad-udplite-checksum", "wrong checksum, as Linux checks UDPlite: as if it were UDP, so that correct ones are wrong",
		"bad checksum", "checksum", countInvalid,
	},
	GREProtocol: {
		"gre-protocol", "GRE of version 1 with protocol %d: only PPTP's 34827 is tracked", "", "", countInvalid,
	},
	Untrackable: {"untrackable", "packets of protocol %d are not tracked in this family", "", "", countInvalid},

	ICMPShort:      {"icmp-short", "the ICMP header has %d bytes and needs %d", "short packet", "", countError},
	ICMPChecksum:   {"icmp-checksum", "wrong ICMP checksum", "bad hw icmp checksum", "checksum", countError},
	ICMPv6Checksum: {"icmpv6-checksum", "wrong ICMPv6 checksum", "ICMPv6 checksum failed", "checksum", countError},
	ICMPType:       {"icmp-type", "ICMP type %d is not known", "invalid icmp type", "", countError},
	ICMPNoQuery:    {"icmp-no-query", "ICMP type %d is neither a query, nor an answer, nor an error", "", "", countInvalid},
	ICMPNoRequest: {
		"icmp-no-request", "an answer of ICMP type %d with id %d, and no request for it was seen", "", "", countInvalid,
	},
	ErrorQuotesLittle: {
		"error-quotes-little", "an ICMP error that quotes too little of a packet to know its connection", "", "", countError,
	},
	ErrorQuotesFragment: {
		"error-quotes-fragment", "an ICMP error about a later fragment, which has no ports", "", "", countError,
	},
	ErrorQuotesBad: {
		"error-quotes-untracked", "an ICMP error about a packet of protocol %d that is not tracked", "", "", countError,
	},
	ErrorOfUnknown: {"error-of-unknown", "an ICMP error about a packet of no known connection", "", "", countError},
	ErrorToOther: {
		"error-to-other", "an ICMP error sent to another host than the sender of the packet that it is about",
		"outer daddr", "", countError, // the text goes on with both addresses
	},
	RedirectShort: {"redirect-short", "the redirect has %d bytes and needs 40", "short redirect", "", countError},
	RedirectSource: {
		"redirect-source", "a redirect with hop limit %d; it must be 255, and the source link-local",
		"invalid saddr or hoplimit for redirect", "", countError,
	},
	RedirectOptions: {
		"redirect-options", "a redirect that quotes no packet", "redirect without options", "", countError,
	},

	SCTPShort: {
		"sctp-short", "the SCTP header has %d bytes and needs %d", "nf_ct_sctp: short packet", "", countInvalid,
	},
	SCTPChecksum: {"sctp-checksum", "wrong SCTP checksum (CRC32c)", "nf_ct_sctp: bad CRC", "checksum", countInvalid},
	SCTPNoChunk:  {"sctp-no-chunk", "an SCTP packet without a chunk", "", "", countInvalid},
	SCTPChunkFirst: {
		"sctp-chunk-first", "chunk %d of an SCTP packet is of type %d, which must be the first",
		"do_basic_checks failed. chunk num %d, type %d, len %w flag 0", "", countInvalid,
	},
	SCTPChunkAlone: {
		"sctp-chunk-alone", "chunk %d of an SCTP packet is of type %d, where one must be alone",
		"do_basic_checks failed. chunk num %d, type %d, len %w flag 1", "", countInvalid,
	},
	SCTPChunkEmpty: {
		"sctp-chunk-empty", "chunk %d of an SCTP packet is of type %d and has the length %d",
		"do_basic_checks failed. chunk num %d, type %d, len %w flag 0", "", countInvalid,
	},
	SCTPNotNew: {
		"sctp-not-new", "chunks that begin no SCTP association, and none is known: the capture began in the middle?",
		"", "", countInvalid,
	},
	SCTPTag: {
		"sctp-tag", "verification tag %x, and this direction has %x", "verification tag check failed %l vs %l for dir %d",
		"", countInvalid,
	},
	SCTPChunkTag: {
		"sctp-chunk-tag", "verification tag %x, and a chunk like this has %x in this direction", "", "", countInvalid,
	},
	SCTPInitShort: {"sctp-init-short", "an SCTP INIT of %d bytes; it needs 20", "", "", countInvalid},
	SCTPInitTag: {
		"sctp-init-tag", "an SCTP INIT ACK with the tag %x, and %x is known and no INIT changes it", "", "", countInvalid,
	},
	SCTPState: {
		"sctp-state", "in the association's state %d, direction %d does not send a chunk of type %d",
		"Invalid, old_state %d, dir %d, type %d", "", countInvalid,
	},
	SCTPInitAgain: {slug: "sctp-init-again", text: "another INIT before the association is set up"},
	SCTPHeartbeat: {slug: "sctp-heartbeat", text: "a HEARTBEAT with the verification tag %x, and this direction has %x"},

	BadIPAddress: {
		slug: "bad-ip-address",
		text: "an IPv6 address that must not come from another machine: the stack drops the packet",
	},
	BadHopByHop: {slug: "bad-hop-by-hop", text: "IPv6 hop-by-hop options that the stack drops a packet for"},
	BadExtension: {
		"bad-extension", "the packet ends where an IPv6 extension header should begin", "", "", countInvalid,
	},
	LaterFragment: {
		"later-fragment", "a fragment that cannot be put together with others", "", "", countInvalid,
	},
	BadIPOptions: {slug: "bad-ip-options", text: "malformed IPv4 options: a router drops the packet"},
	SourceRouted: {slug: "source-routed", text: "a source route: a router drops the packet"},
	MartianSource: {
		slug: "martian-source", text: "a source address that no host has: a router drops the packet",
	},
	MartianDestination: {
		slug: "martian-destination", text: "a destination address that no host has: a router drops the packet",
	},
	NotJoined: {
		slug: "not-joined", text: "multicast to a group that this machine has not joined: a router drops the packet",
	},
	LinkLocal: {
		slug: "link-local", text: "an address that is valid on one link only: a router drops the packet",
	},
	TTLExpired: {slug: "ttl-expired", text: "TTL or hop limit 0 or 1: a router drops the packet"},

	FragmentDuplicate: {slug: "fragment-duplicate", text: "a fragment with bytes that have come before"},
	FragmentOverlap: {
		slug: "fragment-overlap",
		text: "a fragment that overlaps another one: the fragments of the packet that have come are dropped",
	},
	FragmentLength: {
		slug: "fragment-length", text: "a fragment that is empty, or ends at another place than the packet's last one",
	},
	FragmentTooLong: {slug: "fragment-too-long", text: "a fragment of a packet that has more than 65535 bytes"},
	FragmentECN: {
		slug: "fragment-ecn",
		text: "the last of fragments with and without congestion notification (ECN): the packet is dropped",
	},
	FragmentMemory: {
		slug: "fragment-memory", text: "the fragments that wait take more memory than is allowed",
		sysctl: "net.ipv4.ipfrag_high_thresh",
	},
	Fragment6Memory: {
		slug: "fragment6-memory", text: "the fragments that wait take more memory than is allowed",
		sysctl: "frag6_high_thresh",
	},

	NATFull: {
		slug: "nat-full",
		text: "every port or id that NAT may choose is taken by another connection to the same destination",
	},
	NotTranslated:      {slug: "not-translated", text: "NAT cannot translate it: its transport header is too short"},
	NoNATAddress:       {slug: "no-nat-address", text: "the interface whose address masquerade or redirect uses has none"},
	RedirectTranslated: {slug: "redirect-translated", text: "an ICMP redirect about a translated connection"},
	MasqueradeMoved: {
		slug: "masquerade-moved",
		text: "it leaves by another interface than the one whose address masquerade took: the entry is removed",
	},
	ErrorChecksum: {
		slug: "error-checksum", text: "an ICMP error with a wrong checksum: NAT drops it, whatever nf_conntrack_checksum is",
	},
	BadTCPOptions: {
		slug: "bad-tcp-options", text: "a TCP option has a wrong length, so that acknowledged numbers cannot be adjusted",
	},

	FTPMalformed: {
		slug:   "ftp-malformed",
		text:   "a line that begins like %q and is incomplete or malformed: the helper ftp drops it",
		kernel: "nf_ct_ftp: dropping packet: partial matching of `%q'",
	},
	ExpectationRefused: {
		slug:   "expectation-refused",
		text:   "the helper of its entry cannot expect the connection that it announces: there are too many, or another is the same",
		kernel: "nf_ct_%h: dropping packet: cannot add expectation",
		sysctl: "expect_max",
	},
	NoExpectedPort: {
		slug:   "no-expected-port",
		text:   "the helper of its entry found no free port for the connection that it announces",
		kernel: "nf_ct_%h: dropping packet: all ports in use",
		sysctl: "expect_max",
	},
	NotRewritten: {
		slug:   "not-rewritten",
		text:   "the helper of its entry cannot write the translated address into it: it would become too long",
		kernel: "nf_ct_%h: dropping packet: cannot mangle packet",
	},
	SIPNoCode: {
		slug: "sip-no-code", text: "a response of SIP without a code: the helper sip drops it",
		kernel: "nf_ct_sip: dropping packet: cannot get code",
	},
	SIPNoCSeq: {
		slug: "sip-no-cseq", text: "a message of SIP without the header CSeq: the helper sip drops it",
		kernel: "nf_ct_sip: dropping packet: cannot parse cseq",
	},
	SIPBadExpires: {
		slug: "sip-bad-expires", text: "a contact in SIP with a parameter expires that is not a number: the helper sip drops it",
		kernel: "nf_ct_sip: dropping packet: cannot parse expires",
	},
	SIPPort: {
		slug: "sip-port", text: "a description of media with port %d; the helper sip drops it, as it is not from 1024 to 65535",
		kernel: "nf_ct_sip: dropping packet: wrong port %d",
	},
	SIPNoSDPAddress: {
		slug: "sip-no-address", text: "a description of media without an address: the helper sip drops it",
		kernel: "nf_ct_sip: dropping packet: cannot parse SDP message",
	},
	SIPBadCSeq: {
		slug: "sip-bad-cseq", text: "a message of SIP whose CSeq is greater than 4294967295: the helper sip drops it",
		kernel: "nf_ct_sip: dropping packet: cannot get cseq",
	},
	SIPNoPort: {
		slug: "sip-no-port", text: "the helper sip found no free port for the calls that it announces",
		kernel: "nf_ct_sip: dropping packet: all ports in use for SIP",
	},
	SIPNoMediaPort: {
		slug: "sip-no-media-port", text: "the helper sip found no free ports for media: another connection expects them",
		kernel: "nf_ct_sip: dropping packet: all ports in use for SDP media",
	},
	SIPMediaNotRewritten: {
		slug: "sip-media-not-rewritten", text: "the helper sip cannot write the translated address into a description of media",
		kernel: "nf_ct_sip: dropping packet: cannot mangle SDP",
	},
	SIPSessionNotRewritten: {
		slug: "sip-session-not-rewritten",
		text: "the helper sip cannot write the translated address into a session: its line o= or Content-Length is missing",
	},
}

func (c ReasonCode) count() counterOf { return reasons[c].counts }
