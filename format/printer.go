package format

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// Style is the form that entries are written in.
type Style uint8

const (
	// StyleClassic is one line of text for each entry, as of conntrack -L.
	StyleClassic Style = iota
	// StyleXML is one <flow> element on a line for each entry, as of
	// conntrack -o xml.
	StyleXML
	// StyleSave is one command on a line for each entry, as of conntrack
	// -o save. Loaded again, it makes the entry with its timeout, status,
	// mark, zones, tuples, translation, protocol state and the labels that
	// have names.
	StyleSave
	// StyleJSON is one JSON document: an array with an object for each entry.
	StyleJSON
	// StyleJSONL is a JSON object on a line for each entry.
	StyleJSONL
	// StyleCSV is a line of comma-separated values for each entry, RFC 4180,
	// under a line of names.
	StyleCSV
	// StyleTable is a table for eyes.
	StyleTable
	// StyleNetlink is the entries' own messages as a table file
	// (ctnetlink/tablefile) holds them.
	StyleNetlink
	// StyleProm is OpenMetrics text, for counters only.
	StyleProm
)

// Event is what happened to an entry: an event of the table's, or EventResync.
type Event = ctnetlink.EventType

const (
	EventNone    = ctnetlink.EventNone // nothing: the entry was listed
	EventNew     = ctnetlink.EventNew
	EventUpdate  = ctnetlink.EventUpdate
	EventDestroy = ctnetlink.EventDestroy
	// EventResync: it is in the table after events were lost. Such lines come
	// together, and AppendResynced ends them.
	EventResync = ctnetlink.EventDestroy + 1
)

// Options choose what is shown of an entry.
type Options struct {
	Style      Style
	Extended   bool // the layer-3 protocol in front of classic flows
	ID         bool // the id of classic flows; XML always shows it
	Timestamp  bool // when: on events, and on every expectation
	KTimestamp bool // when the entry began and ended
	// Labels shows the names of a flow's labels. StyleSave writes them
	// whatever is chosen here: with a label map, a saved table keeps them.
	Labels bool
	// Complete lets StyleSave write what other programs have no options for:
	// helpers, and label bits without a name.
	Complete bool
	// LabelNames holds the name of each label bit, "" where it has none. It
	// is read by NewPrinter only.
	LabelNames []string
	// Expect says that expectations come, not entries: headers differ, and the
	// columns of CSV.
	Expect bool
	// Events says that they come as events: CSV has columns for that.
	Events bool
	// NetNS says that entries of several network namespaces come, or of
	// another one: CSV has a column for its name.
	NetNS bool
	// Columns are those of CSV and of tables, if not the usual ones.
	Columns []*Field
	// Width is how many characters the line of a table may have, 0 for any
	// number.
	Width int
	// Color says that tables are shown on a terminal that has colours.
	Color bool
}

// Context is what is known of an entry beside its attributes. It is read
// during the call only.
type Context struct {
	Event Event
	// Verb is the command that a StyleSave line is written for: 'A', 'U' or
	// 'D'; 0 is the one that Event calls for.
	Verb byte
	// Now is the clock: for delta-time, and for the time of events where the
	// table sent none. If zero, the system's clock is asked when it is needed.
	Now time.Time
	// PortID is the netlink port id of the process that caused the event, 0
	// if none did. Classic flows show it.
	PortID uint32
	// Program is that process's name, "" if unknown.
	Program string
	// NetNS names the network namespace whose entry it is, "" if it goes
	// without saying. Classic lines end in it, before the port id.
	NetNS string
}

// now returns the clock.
func (c *Context) now() time.Time {
	if c.Now.IsZero() {
		return time.Now()
	}
	return c.Now
}

// Printer writes entries in one style. It keeps no state between entries, but
// for StyleNetlink and StyleTable: several goroutines may use it at once.
type Printer struct {
	o Options
	// labels holds the names of label bits as the style writes them.
	labels []string
	// snapshot is the file that StyleNetlink makes.
	snapshot *snapshot.Writer
	columns  []*Field // of CSV
	table    *table   // that StyleTable makes
}

// NewPrinter returns a Printer.
func NewPrinter(o Options) *Printer {
	p := &Printer{o: o, snapshot: newSnapshot(o.Style)}
	if o.Labels || o.Style == StyleSave || o.Style == StyleTable || IsRecordStyle(o.Style) {
		p.labels = labelNames(o.Style, o.LabelNames)
	}
	if o.Style == StyleCSV {
		p.columns = csvColumns(&o)
	}
	if o.Style == StyleTable {
		p.table = newTable(&o)
	}
	p.o.LabelNames = nil
	return p
}

// AppendFlow appends an entry, with the newline that ends it; in StyleJSON
// without, since AppendSeparator goes between two. A nil c is a Context of
// which nothing is known.
func (p *Printer) AppendFlow(dst []byte, f *ctnetlink.Flow, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	switch p.o.Style {
	case StyleXML:
		return p.xmlFlow(dst, f, c)
	case StyleSave:
		return p.saveFlow(dst, f, c)
	case StyleJSON:
		return p.jsonFlow(dst, f, c)
	case StyleJSONL:
		return append(p.jsonFlow(dst, f, c), '\n')
	case StyleCSV:
		return p.csvFlow(dst, f, c)
	case StyleTable:
		return p.tableFlow(dst, f, c)
	case StyleNetlink:
		return p.snapshot.Append(dst, f.Message())
	}
	return p.classicFlow(dst, f, c)
}

// AppendExpect appends an expectation as AppendFlow does an entry. No command
// makes an expectation with all that it carries: StyleSave writes the classic
// line.
func (p *Printer) AppendExpect(dst []byte, e *ctnetlink.Expect, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	switch p.o.Style {
	case StyleXML:
		return p.xmlExpect(dst, e, c)
	case StyleJSON:
		return jsonExpect(dst, e, c)
	case StyleJSONL:
		return append(jsonExpect(dst, e, c), '\n')
	case StyleCSV:
		return p.csvExpect(dst, e, c)
	case StyleTable:
		return p.tableExpect(dst, e, c)
	case StyleNetlink:
		return p.snapshot.Append(dst, e.Message())
	}
	return p.classicExpect(dst, e, c)
}

var noContext Context

// AppendSeparator appends what stands between two entries, before the entry
// that n others precede: in StyleJSON the comma, else nothing.
func (p *Printer) AppendSeparator(dst []byte, n int) []byte {
	if p.o.Style == StyleJSON && n > 0 {
		return append(dst, ",\n"...)
	}
	return dst
}

// AppendResynced appends the line that ends n entries of EventResync: what was
// known before and is not among them is gone. StyleSave has no such line.
func (p *Printer) AppendResynced(dst []byte, n int, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	switch p.o.Style {
	case StyleJSONL:
		dst = jsonNotice(dst, "resynced", c, notice{`"entries":`, uint64(n)})
	case StyleCSV:
		return p.csvNotice(dst, "resynced", c)
	case StyleXML:
		dst = append(appendUint(append(dst, `<resync entries="`...), uint64(n)), `"/>`...)
	case StyleClassic:
		dst = appendUint(append(dst, eventTags[EventResync]...), uint64(n))
		dst = append(dst, " entries"...)
	default:
		return dst
	}
	return append(dst, '\n')
}

// AppendLost appends the record of events that were lost before the next one,
// with the counts since the beginning. Classic lines, XML and StyleSave have no
// such record.
func (p *Printer) AppendLost(dst []byte, l ctnetlink.Loss, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	switch p.o.Style {
	case StyleJSONL:
		return append(jsonNotice(dst, "lost", c, notice{`"overruns":`, l.Overruns},
			notice{`"lost":`, l.Lost}, notice{`"dropped":`, l.Dropped}), '\n')
	case StyleCSV:
		return p.csvNotice(dst, "lost", c)
	}
	return dst
}

// AppendHeader appends what stands before the first of many entries: in XML
// the declaration and <conntrack> or <expect>, in StyleJSON the beginning of the array, in
// CSV the names of the columns. Where there is no entry at all, the caller
// leaves it out, and the footer, for AppendEmpty.
func (p *Printer) AppendHeader(dst []byte) []byte {
	switch p.o.Style {
	case StyleNetlink:
		return p.netlinkHeader(dst)
	case StyleJSON:
		return append(dst, jsonOpen...)
	case StyleCSV:
		return csvHeader(dst, p.columns)
	case StyleXML:
		return append(append(append(dst, xmlDeclaration+"<"...), p.xmlRoot()...), ">\n"...)
	}
	return dst
}

// AppendFooter appends what stands behind the last of many entries, where
// AppendHeader stood before the first.
func (p *Printer) AppendFooter(dst []byte) []byte {
	switch p.o.Style {
	case StyleTable:
		return p.table.end(dst)
	case StyleNetlink:
		return p.snapshot.AppendEnd(dst)
	case StyleJSON:
		return append(dst, jsonClose...)
	case StyleXML:
		return append(append(append(dst, "</"...), p.xmlRoot()...), ">\n"...)
	}
	return dst
}

// AppendEmpty appends what stands in place of header, entries and footer where
// there is no entry at all: in StyleJSON an empty array, in CSV the header, in
// classic lines and XML nothing.
func (p *Printer) AppendEmpty(dst []byte) []byte {
	switch p.o.Style {
	case StyleNetlink:
		return p.AppendFooter(p.AppendHeader(dst))
	case StyleJSON:
		return append(dst, jsonEmpty...)
	case StyleCSV:
		return p.AppendHeader(dst)
	}
	return dst
}

const xmlDeclaration = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

// xmlRoot is the name of a document's element.
func (p *Printer) xmlRoot() string {
	if p.o.Expect {
		return "expect"
	}
	return "conntrack"
}
