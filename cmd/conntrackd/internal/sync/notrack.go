package sync

func newNoTrack(n *Node) mode { panic("unwritten") }
