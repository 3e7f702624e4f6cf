// Package format is how entries of the connection tracking table look: the
// classic line of conntrack -L, the XML of -o xml, the commands of -o save that
// make an entry again, and the forms that conntrack does not have: JSON, CSV,
// tables.
//
// A [Printer] appends one entry to a byte slice of the caller's. It allocates
// nothing, keeps no state between entries and no reference to them, and does
// not decide which entries are shown or where the bytes go.
//
// # Fields
//
// A field is written when the table sent its attribute, and only then: an
// absent mark differs from a mark of 0. What the entry does not carry itself
// (what happened to it, when, who caused it) comes with a [Context].
//
// # Names from outside
//
// Names of helpers, security contexts, programs and labels are chosen by
// others and may hold any byte. In every style, bytes that a terminal could
// take for a command (C0 and C1 control characters, DEL, and what is not
// UTF-8) are written as \xNN, so an entry is always one line. XML also escapes
// & < > and ", and keeps tab, line feed and carriage return as character
// references. JSON has its own escapes, and CSV quotes; there a name that a
// spreadsheet would take for a formula also gets a ' before it.
//
// # Records
//
// JSON, JSON lines and CSV are for programs: docs/json.md is their contract,
// docs/schema its form. A [Field] is a value under the name that it has as a
// column, and wherever else one is chosen; [Records] writes what is no entry.
//
// # Tables
//
// StyleTable is for eyes. It is a stream as well, but for a block of rows that
// is drawn at a time; so its Printer holds that block, and AppendFooter draws
// the last one. [Summary] writes groups of entries, [AppendReports] and
// [AppendProm] the table as a whole.
//
// # Save
//
// A save line is a command that conntrack -R can load: it carries what the
// command line has options for. An entry's master, its sequence number
// adjustments and the like have none, and are lost ([Losses]); so are its helper
// and label bits without a name, unless [Options].Complete adds the options that
// only this program has. A translated address stands in -n or -g, with the port when that was
// translated too, and the reply's ports beside it are the translated ones; a
// translated id of an ICMP query stands where the port would.
//
// Every option that -A demands is written. For an entry whose packets a flow
// table forwards the table sends neither timeout nor state: its line has a day
// and ESTABLISHED. Verification tags of SCTP are the packet's numbers.
package format
