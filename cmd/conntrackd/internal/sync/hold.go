package sync

import "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"

// holdState is what a node knows of deletes that are held back.
type holdState struct{}

// HoldDeletes has ends of translated entries wait until the role of this node is known:
// an own address or a link is gone. ReleaseDeletes sends them, ForgetDeletes drops them.
func (n *Node) HoldDeletes()    { panic("unwritten") }
func (n *Node) ReleaseDeletes() { panic("unwritten") }
func (n *Node) ForgetDeletes()  { panic("unwritten") }

// holds reports whether the end of an entry, which is dead, is held back; it then is in
// the queue of those.
func (n *Node) holds(t *table, s cache.Slot) bool { return false }
