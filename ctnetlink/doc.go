// Package ctnetlink is a client of Linux's connection tracking table
// (nf_conntrack) and of its expectations. It lists the table with
//
//	conn, err := ctnetlink.Dial() // err handled
//	defer conn.Close()
//	for f, err := range conn.Dump(nil) { // err handled
//		fmt.Println(f)
//	}
//
// # Entries
//
// [Flow] is an entry: a view of the message in which the table sent it. Decoding
// notes where each attribute is; the accessors decode on demand, and their second
// result reports whether the attribute was sent. [Expect] is the same for an
// expectation. A view that an iterator yields is valid until the next one; Clone
// copies it.
//
// # Requests
//
// A [Conn] is a handle on one table. [Conn.Dump] and [Conn.DumpExpect] iterate
// over its contents; memory does not grow with the table. [Conn.Get],
// [Conn.Create], [Conn.Update], [Conn.Delete], [Conn.Flush] and their
// counterparts for expectations act on entries, a [Batch] on many.
// [Conn.Stats] and [Conn.Count] read counters. [Conn.Subscribe] receives events.
//
// A request describes an entry by a [FlowSpec], an expectation by an
// [ExpectSpec]. Their fields are sent if they are marked as present, which
// constructors and setters do; a field that is set without its mark is a
// [FieldError].
//
// A refusal by the table is an [Errno], wrapped in an [OpError] that names the
// operation: errors.Is(err, ctnetlink.ENOENT) and errors.Is(err, fs.ErrNotExist)
// are both true for an entry that does not exist.
//
// # Tables
//
// A [Socket] moves datagrams between a Conn and a table. [Dial] opens one to the
// kernel; package engine is a table in the process, package tablefile one in a
// file. On other systems than Linux there are only these.
//
// # Sources
//
// All numbers are those of linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h
// and nf_conntrack_common.h; RFC 3549 and netlink(7) describe the framing.
// Numbers inside attributes are big endian, headers and the lengths of
// attributes are in host order, labels are words of 32 bits in host order.
package ctnetlink
