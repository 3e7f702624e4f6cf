package ctnetlink

// Status is the set of flags of an entry (enum ip_conntrack_status of
// nf_conntrack_common.h).
type Status uint32

const (
	StatusExpected     Status = 1 << 0  // IPS_EXPECTED: an expectation expected it
	StatusSeenReply    Status = 1 << 1  // IPS_SEEN_REPLY
	StatusAssured      Status = 1 << 2  // IPS_ASSURED: it is not dropped when the table is full
	StatusConfirmed    Status = 1 << 3  // IPS_CONFIRMED: it is in the table
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

var statusNames = []string{
	"EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "SRC_NAT", "DST_NAT", "SEQ_ADJUST", "SRC_NAT_DONE",
	"DST_NAT_DONE", "DYING", "FIXED_TIMEOUT", "TEMPLATE", "UNTRACKED", "HELPER", "OFFLOAD", "HW_OFFLOAD",
}

// String returns the names of the flags with "|" between them, such as
// "SEEN_REPLY|ASSURED|CONFIRMED".
func (s Status) String() string {
	return bitNames(uint32(s), func(bit int) string { return nameIn(statusNames, bit) })
}
