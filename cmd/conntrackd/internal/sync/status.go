package sync

// Peers returns the peers; Stats the counters.
func (n *Node) Peers() []Peer { panic("unwritten") }
func (n *Node) Stats() Stats  { panic("unwritten") }
