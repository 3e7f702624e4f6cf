package sync

import "time"

// bulkState is what a node knows of the bulks that it sends and asks for.
type bulkState struct{}

// initBulk is called once, for StartupResync.
func (n *Node) initBulk() {}

// Bulk sends the internal cache to the peers (-B).
func (n *Node) Bulk() { panic("unwritten") }

// RequestResync asks the peers for theirs (-n).
func (n *Node) RequestResync() { panic("unwritten") }

// resyncAsked takes that a peer asks for a bulk.
func (n *Node) resyncAsked(p *peer) {}

// peerJoined, peerRestarted and peerNeeds have a peer sent everything: it was not known,
// is a new process, or lacks something that was forgotten (p.need, which is cleared).
// peerAway takes that it was not heard for awayTime, peerLeft that it is forgotten.
func (n *Node) peerJoined(p *peer)    {}
func (n *Node) peerRestarted(p *peer) {}
func (n *Node) peerNeeds(p *peer)     { p.need = false }
func (n *Node) peerAway(p *peer)      {}
func (n *Node) peerLeft(p *peer)      {}

// connected and disconnected take what a link says.
func (n *Node) connected(link int)    {}
func (n *Node) disconnected(link int) {}

// tickBulk queues the next objects of a bulk (n.queue, of those that are in no queue)
// and returns when there is more to do, zero if never.
func (n *Node) tickBulk() time.Time { return time.Time{} }
