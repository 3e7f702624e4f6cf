package sync

import (
	"time"
)

// Role is what a node does.
type Role uint8

// The roles. A node takes one when it is told so: it commits what its peers have told it
// (Primary), asks them for their tables (Backup), or is about to (Demoted): the ends of
// all entries are held back until it is one of the others.
const (
	Unknown Role = iota
	Primary
	Backup
	Demoted
)

// String returns the role in lower case.
func (r Role) String() string {
	switch r {
	case Primary:
		return "primary"
	case Backup:
		return "backup"
	case Demoted:
		return "demoted"
	}
	return "unknown"
}

// SetRole says what this node does. Ends that are held back are sent once it is primary
// and dropped once it is a backup.
func (n *Node) SetRole(r Role) {
	n.now = n.o.Now()
	n.ours.role, n.ours.since = r, n.now
	switch r {
	case Primary:
		n.ReleaseDeletes()
	case Backup:
		n.ForgetDeletes()
	case Demoted:
		n.holdAll()
	}
	n.ours.next = n.now // peers that are ours are told at once
}

// Role returns what this node does, and since when.
func (n *Node) Role() (Role, time.Time) { return n.ours.role, n.ours.since }

// roleAge returns for how many seconds this node has had its role.
func (n *Node) roleAge() uint32 {
	if n.ours.since.IsZero() {
		return 0
	}
	return uint32(max(n.now.Sub(n.ours.since)/time.Second, 0))
}
