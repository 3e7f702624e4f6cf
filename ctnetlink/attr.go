package ctnetlink

import (
	"math/bits"
	"strconv"
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

var attrNames = [...]string{
	AttrTupleOrig: "TUPLE_ORIG", AttrTupleReply: "TUPLE_REPLY", AttrStatus: "STATUS", AttrProtoInfo: "PROTOINFO",
	AttrHelp: "HELP", AttrNATSrc: "NAT_SRC", AttrTimeout: "TIMEOUT", AttrMark: "MARK",
	AttrCountersOrig: "COUNTERS_ORIG", AttrCountersReply: "COUNTERS_REPLY", AttrUse: "USE", AttrID: "ID",
	AttrNATDst: "NAT_DST", AttrTupleMaster: "TUPLE_MASTER", AttrSeqAdjOrig: "SEQ_ADJ_ORIG",
	AttrSeqAdjReply: "SEQ_ADJ_REPLY", AttrSecMark: "SECMARK", AttrZone: "ZONE", AttrSecCtx: "SECCTX",
	AttrTimestamp: "TIMESTAMP", AttrMarkMask: "MARK_MASK", AttrLabels: "LABELS", AttrLabelsMask: "LABELS_MASK",
	AttrSynproxy: "SYNPROXY", AttrFilter: "FILTER", AttrStatusMask: "STATUS_MASK", AttrTimestampEvent: "TIMESTAMP_EVENT",
}

// String returns the name in the kernel's header without its CTA_ prefix, such as
// "TUPLE_ORIG", or the number.
func (a Attr) String() string {
	if int(a) < len(attrNames) && attrNames[a] != "" {
		return attrNames[a]
	}
	return strconv.Itoa(int(a))
}

// AttrSet is a set of attributes.
type AttrSet uint32

// Has reports whether a is in the set.
func (s AttrSet) Has(a Attr) bool { return s>>a&1 != 0 }

// With returns the set with a in it.
func (s AttrSet) With(a Attr) AttrSet { return s | 1<<a }

// Without returns the set without a.
func (s AttrSet) Without(a Attr) AttrSet { return s &^ (1 << a) }

// first returns the attribute with the lowest number. The set is not empty.
func (s AttrSet) first() Attr { return Attr(bits.TrailingZeros32(uint32(s))) }

// String returns the names of the attributes with "|" between them.
func (s AttrSet) String() string {
	return bitNames(uint32(s), func(bit int) string { return Attr(bit).String() })
}
