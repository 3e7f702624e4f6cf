package ctnetlink

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
