package format

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
)

// Style is a form of output.
type Style uint8

const (
	// StyleClassic is a line of text for each entry, as of conntrack -L.
	StyleClassic Style = iota
	// StyleXML is a <flow> element on a line for each entry, as of conntrack
	// -o xml.
	StyleXML
	// StyleSave is a command on a line for each entry, as of conntrack -o save.
	// Loading it creates the entry with its timeout, status, mark, zones, tuples,
	// translation, protocol state and named labels.
	StyleSave
	// StyleJSON is one JSON document: an array with an object for each entry.
	StyleJSON
	// StyleJSONL is a JSON object on a line for each entry.
	StyleJSONL
	// StyleCSV is a line of comma-separated values for each entry, RFC 4180,
	// under a line of names.
	StyleCSV
	// StyleTable is a table for people.
	StyleTable
	// StyleNetlink is a table file (ctnetlink/tablefile): the netlink messages of
	// the entries.
	StyleNetlink
	// StyleProm is OpenMetrics text. It is for reports only.
	StyleProm
)

// Event is what happened to an entry: a kernel event, or EventResync.
type Event = ctnetlink.EventType

const (
	EventNone    = ctnetlink.EventNone // the entry was listed
	EventNew     = ctnetlink.EventNew
	EventUpdate  = ctnetlink.EventUpdate
	EventDestroy = ctnetlink.EventDestroy
	// EventResync marks an entry that is in the table after events were lost. Such
	// entries come in a row, which AppendResynced ends.
	EventResync = ctnetlink.EventDestroy + 1
)

// Options are the options of a Printer.
type Options struct {
	Style      Style
	Extended   bool // StyleClassic: begin with the layer-3 protocol
	ID         bool // StyleClassic: show the id, as XML always does
	Timestamp  bool // show the time of events, and the current time of expectations
	KTimestamp bool // show when entries began and ended
	// Labels shows the names of labels. StyleSave always writes them, so that a
	// saved table keeps them where the label map is the same.
	Labels bool
	// Complete makes StyleSave write what only this program has options for:
	// helpers, and label bits without a name.
	Complete bool
	// LabelNames is the name of each label bit, "" for a bit without one. Only
	// NewPrinter reads it.
	LabelNames []string
	// Expect is set for expectations. They have other headers, and other columns
	// of CSV and of tables.
	Expect bool
	// Events is set for events, for which CSV has more columns.
	Events bool
	// Looks is set if entries have a Context with the time of a look at the table,
	// for which CSV has a column.
	Looks bool
	// NetNS is set if entries have a Context with a network namespace, for which
	// CSV has a column.
	NetNS bool
	// Processes is set if entries have a Context with processes, for which CSV has
	// columns.
	Processes bool
	// Rates is set if entries have a Context with rates, for which CSV and tables have
	// columns.
	Rates bool
	// Columns are the columns of CSV and of tables, nil for the usual ones.
	Columns []*Field
	// HostNames are the names of addresses in tables, nil for none.
	HostNames HostNames
	// ServiceName returns the name of a protocol's port in tables, "" if it has none;
	// for protocol 0, the name that it has with any. nil: ports are numbers.
	ServiceName func(ctnetlink.Protocol, uint16) string
	// Width is the number of columns of the terminal that a table should fit, 0
	// for any.
	Width int
	// Color uses colours in tables.
	Color bool
	// Clock is the table's clock, by which StyleNetlink dates the file; nil is
	// time.Now.
	Clock func() time.Time
}

// Context is what is known about an entry beside its attributes. It is only read
// during a call.
type Context struct {
	Event Event
	// Verb is the command of a StyleSave line: 'A', 'U' or 'D'. 0 is the one for
	// Event: -A for a listed or new entry, -U for an update, -D for a destroyed one.
	Verb byte
	// Now is the current time, for the age of entries, and for the time of events
	// to which the kernel adds none. If it is zero, time.Now is called when needed.
	Now time.Time
	// Look is the time of the look at the table in which the entry was listed, of
	// several. It is zero if there is only one, and not shown then.
	Look time.Time
	// PortID is the netlink port id of the process that caused the event, 0 if
	// packets or a timeout did. StyleClassic shows it.
	PortID uint32
	// Program is the name of that process, "" if it is unknown.
	Program string
	// NetNS is the name of the entry's network namespace, "" to leave it out.
	// StyleClassic shows it at the end, before the port id.
	NetNS string
	// Rates are the rates of the entry, nil if they are not known. Tables and records
	// show them.
	Rates *Rates
	// Process returns the local process at the source of one of the directions of an
	// entry in the network namespace netns. nil: no processes are shown. Tables and
	// records show them.
	Process func(netns string, source *ctnetlink.Tuple) (process Process, ok bool)
}

// Process is a process, as records and tables show it.
type Process struct {
	PID  int
	Name string // from outside: it may have any bytes
}

// now returns the current time.
func (c *Context) now() time.Time {
	if c.Now.IsZero() {
		return time.Now()
	}
	return c.Now
}

// Printer writes entries in one style. Several goroutines may use it at once, except
// in StyleNetlink and StyleTable, where it keeps state between entries.
type Printer struct {
	o Options
	// labels is the name of each label bit in the form of the style.
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

// AppendFlow appends an entry and a newline; in StyleJSON no newline, because
// AppendSeparator separates entries. In StyleTable it may append earlier entries
// instead. A nil c is an empty Context.
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

// AppendExpect appends an expectation as AppendFlow does an entry. StyleSave writes
// the classic line, because no command creates an expectation with all attributes.
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

// AppendSeparator appends what separates entries, before an entry that follows n
// others: a comma in StyleJSON, nothing in other styles.
func (p *Printer) AppendSeparator(dst []byte, n int) []byte {
	if p.o.Style == StyleJSON && n > 0 {
		return append(dst, ",\n"...)
	}
	return dst
}

// AppendResynced appends the line that ends n entries of EventResync: entries that
// were known before and are not among them are gone. StyleSave has no such line.
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

// AppendLost appends a record of lost events, with the counts since the start.
// StyleClassic, StyleXML and StyleSave have no such record.
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

// AppendHeader appends what precedes the first entry: in StyleXML the declaration
// and <conntrack> or <expect>, in StyleJSON the start of the array, in StyleCSV the
// names of the columns. If there is no entry, AppendEmpty replaces header and
// footer.
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

// AppendFooter appends what follows the last entry, if AppendHeader preceded the
// first: the end of the array or document, and the last rows of a table.
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

// AppendEmpty appends the output without entries: in StyleJSON an empty array, in
// StyleCSV the names of the columns, in StyleNetlink an empty table file, nothing
// in other styles.
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

// xmlRoot returns the name of the root element.
func (p *Printer) xmlRoot() string {
	if p.o.Expect {
		return "expect"
	}
	return "conntrack"
}
