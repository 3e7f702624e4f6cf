package sync

func newAlarm(n *Node) mode { panic("unwritten") }
