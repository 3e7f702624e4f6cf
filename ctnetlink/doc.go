// Package ctnetlink speaks ctnetlink, the netlink protocol of Linux's
// connection tracking table (nf_conntrack) and of its expectations.
//
// # Entries
//
// An entry of the table is the message that describes it. [Flow] is a view
// over such a message: one pass notes where each attribute lies, accessors
// decode on demand, and an attribute that was not sent is visibly absent
// (every accessor has a second result that says so). [Expect] is the same for
// an expectation. A view holds no copy: it is valid until the stream it came
// from moves on, and Clone keeps it for longer.
//
// # Requests
//
// A [Conn] is a handle on one table. [Conn.Dump] and [Conn.DumpExpect] stream
// its entries; memory does not grow with the table. [Conn.Get], [Conn.Create],
// [Conn.Update], [Conn.Delete], [Conn.Flush] and their expectation
// counterparts act on entries; [Conn.Stats] and [Conn.Count] read counters.
// What a request says about an entry is a [FlowSpec] or an [ExpectSpec]: only
// what is marked as set is sent.
//
// A refusal by the table is an [Errno] (Linux's numbers, glibc's texts, the
// same on every system), wrapped in an [OpError] that names the operation.
//
// # Sockets
//
// Below everything stands [Socket], which moves datagrams. The kernel's is
// opened by [Open]; an in-process table can stand behind the same interface.
// Framing, acknowledgements and errors are decoded above it, once.
//
// # Why this is not github.com/ti-mo/conntrack
//
// That library is this project's second opinion: tests compare every field it
// knows with ours on a live table, and package timo converts between the types
// of both. It does not carry the program because it
// cannot tell an attribute that is absent from one that is zero (the classic
// line depends on it), has no NAT on create, does not know clash_resolve or
// chaintoolong, holds a whole dump in memory (1.48 GB for a million entries),
// stops listening on ENOBUFS, and does not compile outside Linux.
//
// # Sources
//
// linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h and
// nf_conntrack_common.h for every number; RFC 3549 and netlink(7) for the
// framing. Numbers inside attributes are big endian, headers and attribute
// lengths are in host order, labels are a bitmap of host-order 32-bit words.
package ctnetlink
