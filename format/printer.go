package format

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
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
type Event = ctnetlink.Event

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
	// LabelNames holds the name of each label bit, "" where it has none. It
	// is read by NewPrinter only.
	LabelNames []string
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
}

// now returns the clock.
func (c *Context) now() time.Time {
	if c.Now.IsZero() {
		return time.Now()
	}
	return c.Now
}

// Printer writes entries in one style. It keeps no state between entries:
// several goroutines may use it at once.
type Printer struct {
	o Options
	// labels holds the names of label bits as the style writes them.
	labels []string
}

// NewPrinter returns a Printer.
func NewPrinter(o Options) *Printer {
	p := &Printer{o: o}
	if o.Labels || o.Style == StyleSave {
		p.labels = labelNames(o.Style, o.LabelNames)
	}
	p.o.LabelNames = nil
	return p
}

// AppendFlow appends an entry, with the newline that ends it. A nil c is a
// Context of which nothing is known.
func (p *Printer) AppendFlow(dst []byte, f *ctnetlink.Flow, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	switch p.o.Style {
	case StyleXML:
		return p.xmlFlow(dst, f, c)
	case StyleSave:
		return p.saveFlow(dst, f, c)
	}
	return p.classicFlow(dst, f, c)
}

// AppendExpect appends an expectation, with the newline that ends it. No
// command makes an expectation with all that it carries: StyleSave writes the
// classic line.
func (p *Printer) AppendExpect(dst []byte, e *ctnetlink.Expect, c *Context) []byte {
	if c == nil {
		c = &noContext
	}
	if p.o.Style == StyleXML {
		return p.xmlExpect(dst, e, c)
	}
	return p.classicExpect(dst, e, c)
}

var noContext Context

// AppendResynced appends the line that ends n entries of EventResync: what was
// known before and is not among them is gone. StyleSave has no such line.
func (p *Printer) AppendResynced(dst []byte, n int) []byte {
	switch p.o.Style {
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

// AppendHeader appends what stands before the first of many entries: in XML
// the declaration and <conntrack>, else nothing. The caller leaves it out,
// and the footer, when there is no entry at all.
func (p *Printer) AppendHeader(dst []byte) []byte {
	return p.appendXML(dst, xmlDeclaration+"<conntrack>\n")
}

// AppendFooter appends what stands behind the last of many entries, where
// AppendHeader stood before the first.
func (p *Printer) AppendFooter(dst []byte) []byte {
	return p.appendXML(dst, "</conntrack>\n")
}

// AppendExpectHeader is AppendHeader for expectations.
func (p *Printer) AppendExpectHeader(dst []byte) []byte {
	return p.appendXML(dst, xmlDeclaration+"<expect>\n")
}

// AppendExpectFooter is AppendFooter for expectations.
func (p *Printer) AppendExpectFooter(dst []byte) []byte {
	return p.appendXML(dst, "</expect>\n")
}

const xmlDeclaration = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

func (p *Printer) appendXML(dst []byte, s string) []byte {
	if p.o.Style != StyleXML {
		return dst
	}
	return append(dst, s...)
}
