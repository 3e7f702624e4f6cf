// Package format writes entries of the connection tracking table, and
// expectations, as text: the classic line of conntrack -L, the XML of -o xml, the
// commands of -o save that create an entry again, JSON, CSV and tables.
//
//	p := format.NewPrinter(format.Options{Style: format.StyleJSONL})
//	for f, err := range conn.Dump(nil) {
//		if err != nil {
//			return err
//		}
//		buf = p.AppendFlow(buf[:0], f, nil)
//		os.Stdout.Write(buf)
//	}
//
// A [Printer] appends one entry to a byte slice of the caller. It keeps no
// reference to the entry, and allocates nothing except in StyleTable. Which
// entries are shown, and where the bytes go, is up to the caller.
//
// # Fields
//
// A field is written if and only if the kernel sent its attribute: a missing mark
// differs from a mark of 0. A [Context] adds what is not part of the entry: the
// event, its time, and the process that caused it.
//
// A [Field] has one name wherever fields are chosen: as a column, as a key to sort
// by, as a key of summaries.
//
// # Names from outside
//
// Names of helpers, security contexts, programs and labels can contain any byte.
// All styles write bytes that a terminal could interpret (C0 and C1 control
// characters, DEL, line separators, controls of bidirectional text, invalid UTF-8)
// as \xNN, so an entry is always one line. XML also escapes & < > and ", and writes
// tab, line feed and carriage return as character references. JSON uses its own
// escapes. CSV adds quotes, and a ' before a name that a spreadsheet would run as a
// formula.
//
// # Records
//
// JSON, JSON lines and CSV are for programs. docs/json.md describes them, and
// docs/schema has their schemas. [Records] writes other values than entries in
// these styles.
//
// # Tables
//
// StyleTable is for people. Rows are drawn in blocks, so a long table needs no more
// memory than a short one, and AppendFooter draws the last block. [Summary] writes
// groups of entries; [AppendReports] and [AppendProm] write the state of a table as
// a whole.
//
// # Save
//
// A line of StyleSave is a command that conntrack -R can load. It contains what the
// classic command has options for. An entry's master, its sequence number
// adjustments and the like have none, and are lost ([Losses]); its helper and its
// label bits without a name are lost unless [Options].Complete adds options that
// only this program has.
//
// A translated address is the value of -n or -g, with the port if that was
// translated too; the reply ports beside it are the translated ones. A translated
// identifier of an ICMP query takes the place of the port.
//
// All options that -A requires are written. The kernel sends neither timeout nor
// state for an entry that a flow table forwards: its line has a timeout of one day
// and the state ESTABLISHED. Verification tags of SCTP are as in the packets.
package format
