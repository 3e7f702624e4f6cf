// Package engine is nf_conntrack inside the process: a connection tracking
// table that answers ctnetlink requests as Linux does, byte for byte. It needs
// no rights and runs on every system. Whatever uses a [ctnetlink.Socket] works
// with it unchanged.
//
//	t := engine.New(engine.Options{})
//	conn := ctnetlink.NewConn(t.Dial)
//
// Packets are given to [Table.Track], which returns what Linux would make of
// each: the state, such as NEW or INVALID and for what reason, its entry, and the
// packet as it leaves. [Options] say what machine it is: its variables
// (nf_conntrack_*), its addresses, and its rules, which package ruleset reads in
// nft's syntax. A table may also receive requests only, as one for tests does.
// The clock is that of the packets for packets, and [Options.Now] for requests.
//
// Entries are created by packets, by requests and by [Table.Restore]; they end by
// requests, by their timeouts, by packets such as an RST, or when a full table
// drops one to make room. All is as observed on Linux 6.18: the verdict on each
// packet, which requests are refused and with which errors, the attributes of
// each message and their order, which sockets receive which events. One bug of
// the kernel is not reproduced: its tuple filter inverts the comparison of IPv6
// addresses.
//
// # Implementation
//
// An [entry] is a struct of 256 bytes without pointers, in slabs that never move.
// What few entries have (a helper, labels, a master) is in a separate extension.
// Each entry is in one hash table twice, once per direction, as in the kernel;
// entries that end are found by a wheel of times. With a million entries a table
// needs about 300 bytes for each, and a packet reads about six lines of the
// processor's cache. A dump walks the slabs in order, one datagram at a time. It
// uses no memory of its own, and lists each entry that exists throughout exactly
// once.
//
// A packet travels from hook to hook (path.go). Each transport protocol is a
// value of type protocol in a file of its own, with its tables; so is each
// helper.
//
// One lock guards the table. It is held while a packet or a datagram of requests
// is handled, and while one datagram of a dump is filled. Each socket's queue has
// its own lock, which is taken inside the table's.
package engine
