// Package timo converts between the types of ctnetlink and those of
// github.com/ti-mo/conntrack and github.com/ti-mo/netfilter, and has a [Conn]
// with the methods of their *conntrack.Conn on any ctnetlink table: the
// kernel's, a table file, or the engine. So a program that was written for
// ti-mo/conntrack can
//
//   - move to ctnetlink one step at a time,
//   - read and write table files,
//   - use the engine as a fake in its tests, without privileges.
//
// For the last two it uses [Client] in place of *conntrack.Conn, an interface
// that both *conntrack.Conn and *Conn implement:
//
//	table := engine.New(engine.Options{})
//	var c timo.Client = timo.New(ctnetlink.NewConn(table.Dial))
//
// The package compiles on Linux only, as the two libraries do.
//
// # Names
//
// A function with the name of a type returns that type of ti-mo: [Flow] returns
// a conntrack.Flow. The function in the other direction has the prefix From:
// [FromFlow] returns a *ctnetlink.Flow. [FlowSpec] and [ExpectSpec] return
// requests.
//
// # Differences
//
// A conntrack.Flow does not distinguish an attribute that was not sent from one
// with zeros. [Flow] sets what was not sent to zero. In the other direction, a
// zero field is taken as not sent, except for the status.
//
// These attributes have no place in a conntrack.Flow: the old security mark
// (CTA_SECMARK), the time of an event (CTA_TIMESTAMP_EVENT), the translation in
// a request for a new entry (CTA_NAT_SRC and CTA_NAT_DST: to create a translated
// entry, add SrcNAT or DstNAT to the FlowSpec), and attributes that are newer
// than their library. A conntrack.Stats has no counters for clash_resolve and
// chaintoolong. A conntrack.Event does not have the port id of the process that
// caused it.
package timo
