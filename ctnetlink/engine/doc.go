// Package engine is an nf_conntrack inside the process: a table that answers
// ctnetlink, byte for byte, as Linux does. What is written above the socket
// runs over it unchanged, on any system, without rights.
//
//	t := engine.New(engine.Options{})
//	conn := ctnetlink.NewConn(t.Dial)
//
// No packet ever passes: entries come from requests and from [Table.Restore],
// and end by requests, by their timeouts, or to make room. Everything else is
// as measured on Linux 6.18: which request is refused and with which error, the
// attributes of each message and their order, who hears of what. Where the
// kernel is plainly mistaken the engine is not: its tuple filter compares IPv6
// addresses as it does IPv4 ones.
//
// # How it is made
//
// An [entry] is a plain struct without pointers, of about 180 bytes, in slabs
// that never move; what few entries have (a helper, labels, a master …) lies in
// an extension beside them. Two links in each entry, one per direction, chain
// it into one hash table, as in the kernel. A dump walks the slabs in order,
// datagram by datagram, so that it takes no memory and lists exactly once what
// is there throughout.
//
// One lock guards the table. It is held while a datagram of requests is carried
// out and while one of a dump is filled; each socket's queue has a lock of its
// own, taken inside it.
package engine
