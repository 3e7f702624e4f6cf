// Package engine is nf_conntrack inside the process: a connection tracking
// table that answers ctnetlink requests as Linux does, byte for byte. It needs
// no rights and runs on every system. Whatever uses a [ctnetlink.Socket] works
// with it unchanged.
//
//	t := engine.New(engine.Options{})
//	conn := ctnetlink.NewConn(t.Dial)
//
// The table sees no packets. Entries are created by requests and by
// [Table.Restore]; they end by requests, by their timeouts, or when a full
// table drops one to make room. The rest is as observed on Linux 6.18: which
// requests are refused and with which errors, the attributes of each message
// and their order, which sockets receive which events. One bug of the kernel is
// not reproduced: its tuple filter inverts the comparison of IPv6 addresses.
//
// # Implementation
//
// An [entry] is a struct of about 180 bytes without pointers, in slabs that
// never move. What few entries have (a helper, labels, a master) is in a
// separate extension. Each entry is chained into one hash table twice, once per
// direction, as in the kernel. A dump walks the slabs in order, one datagram at
// a time. It uses no memory of its own, and lists each entry that exists
// throughout exactly once.
//
// One lock guards the table. It is held while a datagram of requests is
// handled, and while one datagram of a dump is filled. Each socket's queue has
// its own lock, which is taken inside the table's.
package engine
