package ctnetlink

// Status is the set of flags of an entry (enum ip_conntrack_status of
// nf_conntrack_common.h), host order.
type Status uint32

const (
	StatusExpected     Status = 1 << 0  // IPS_EXPECTED: it was awaited by an expectation
	StatusSeenReply    Status = 1 << 1  // IPS_SEEN_REPLY
	StatusAssured      Status = 1 << 2  // IPS_ASSURED: not dropped early
	StatusConfirmed    Status = 1 << 3  // IPS_CONFIRMED: in the table; every status sent must have it
	StatusSrcNAT       Status = 1 << 4  // IPS_SRC_NAT: source translation is needed
	StatusDstNAT       Status = 1 << 5  // IPS_DST_NAT
	StatusSeqAdjust    Status = 1 << 6  // IPS_SEQ_ADJUST
	StatusSrcNATDone   Status = 1 << 7  // IPS_SRC_NAT_DONE: it went through the source NAT hook, translated or not
	StatusDstNATDone   Status = 1 << 8  // IPS_DST_NAT_DONE
	StatusDying        Status = 1 << 9  // IPS_DYING
	StatusFixedTimeout Status = 1 << 10 // IPS_FIXED_TIMEOUT
	StatusTemplate     Status = 1 << 11 // IPS_TEMPLATE
	StatusUntracked    Status = 1 << 12 // IPS_UNTRACKED (NAT_CLASH in newer headers)
	StatusHelper       Status = 1 << 13 // IPS_HELPER
	StatusOffload      Status = 1 << 14 // IPS_OFFLOAD
	StatusHWOffload    Status = 1 << 15 // IPS_HW_OFFLOAD
)
