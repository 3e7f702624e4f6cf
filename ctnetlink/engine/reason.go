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
	BadLength
	BadChecksum
	BadDataOffset
	BadFlags
	TableFull
	Clash
	DroppedByRule
	RejectedByRule
	reasonsEnd
)

// counter of -S that a reason moves.
type counterOf uint8

const (
	countNothing counterOf = iota
	countInvalid
	countError
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
	BadIPHeader:    {slug: "bad-ip-header", text: "the IP header is malformed: the stack drops the packet"},
	CutShort:       {slug: "cut-short", text: "too little of the packet was captured to judge it"},
	HeaderShort:    {"header-short", "the transport header has %d bytes and needs %d", "short packet", "", countInvalid},
	BadLength:      {"bad-length", "the length field says %d, the packet has %d bytes", "truncated/malformed packet", "", countInvalid},
	BadChecksum:    {"bad-checksum", "wrong checksum", "bad checksum", "checksum", countInvalid},
	BadDataOffset:  {"bad-data-offset", "the data offset says %d, the packet has %d bytes", "truncated packet", "", countInvalid},
	BadFlags:       {"bad-flags", "a combination of flags that no TCP sends", "invalid tcp flag combination", "", countInvalid},
	TableFull:      {slug: "table-full", text: "the table is full", sysctl: "max"},
	Clash:          {slug: "clash", text: "another entry has the same tuple"},
	DroppedByRule:  {slug: "dropped-by-rule", text: "a rule drops it"},
	RejectedByRule: {slug: "rejected-by-rule", text: "a rule rejects it"},
}

func (c ReasonCode) count() counterOf { return reasons[c].counts }
