package show

import (
	"encoding/binary"
	"strconv"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// Entry is what a line of a listing shows of an object.
type Entry struct {
	Object   wire.Object
	External bool
	Listed   bool // of the kernel's table as it is now: with its timeout, without an age
	Created  time.Time
	Expires  time.Time // ALARM's external cache; zero: none
}

// AppendLine appends the line of -i and -e of an entry or expectation, with its newline:
// that of conntrack, without use and, unless it is Listed, timeout. Lines of external entries have no reply
// tuple. Several goroutines may call it at once. For an object that is none it appends
// nothing.
func AppendLine(dst []byte, e *Entry, now time.Time, xml bool) []byte {
	w := lineWriters.Get().(*lineWriter)
	defer lineWriters.Put(w)
	p := classic
	if xml {
		p = asXML
	}
	start := len(dst)
	if e.Object.Expect() {
		dst = w.expect(dst, e, p)
	} else {
		dst = w.flow(dst, e, p)
	}
	if len(dst) == start || xml || e.Listed {
		return dst
	}
	dst[len(dst)-1] = ' ' // the newline
	if !e.Expires.IsZero() {
		dst = appendSpan(dst, "[expires in ", e.Expires.Unix()-now.Unix())
		dst = append(dst, ' ')
	}
	dst = appendSpan(dst, "[active since ", now.Unix()-e.Created.Unix())
	return append(dst, '\n')
}

// appendSpan appends seconds; conntrack-tools counts whole ones of both clocks too.
func appendSpan(dst []byte, label string, seconds int64) []byte {
	return append(strconv.AppendInt(append(dst, label...), max(seconds, 0), 10), "s]"...)
}

var (
	classic = format.NewPrinter(format.Options{Style: format.StyleClassic})
	asXML   = format.NewPrinter(format.Options{Style: format.StyleXML})
)

// lineWriter is the memory that a line needs.
type lineWriter struct {
	spec   ctnetlink.FlowSpec
	xspec  ctnetlink.ExpectSpec
	f      ctnetlink.Flow
	x      ctnetlink.Expect
	buffer []byte
}

var lineWriters = sync.Pool{New: func() any { return new(lineWriter) }}

func (w *lineWriter) flow(dst []byte, e *Entry, p *format.Printer) []byte {
	if e.Object.Spec(&w.spec) != nil {
		return dst
	}
	// What a line does not show need not be sent and decoded.
	shown := ctnetlink.AttrSet(1<<ctnetlink.AttrZone | 1<<ctnetlink.AttrStatus | 1<<ctnetlink.AttrMark |
		1<<ctnetlink.AttrProtoInfo | 1<<ctnetlink.AttrHelp | 1<<ctnetlink.AttrID)
	if e.Listed {
		shown = shown.With(ctnetlink.AttrTimeout)
	}
	w.spec.Set &= shown
	if e.External {
		w.spec.Reply = ctnetlink.Tuple{}
	}
	w.buffer = w.spec.AppendMessage(w.buffer[:0])
	if w.f.Decode(w.buffer) != nil {
		return dst
	}
	return p.AppendFlow(dst, &w.f, nil)
}

func (w *lineWriter) expect(dst []byte, e *Entry, p *format.Printer) []byte {
	if e.Object.ExpectSpec(&w.xspec) != nil {
		return dst
	}
	w.xspec.HasTimeout = w.xspec.HasTimeout && e.Listed
	w.xspec.NAT = ctnetlink.ExpectNAT{}
	w.buffer = w.xspec.AppendMessage(w.buffer[:0])
	if w.xspec.Class == 0 {
		// A line shows this one too, which a request leaves out.
		w.buffer = binary.NativeEndian.AppendUint16(w.buffer, 8)
		w.buffer = binary.NativeEndian.AppendUint16(w.buffer, expectClass)
		w.buffer = append(w.buffer, 0, 0, 0, 0)
		binary.NativeEndian.PutUint32(w.buffer, uint32(len(w.buffer)))
	}
	if w.x.Decode(w.buffer) != nil {
		return dst
	}
	return p.AppendExpect(dst, &w.x, nil)
}

// expectClass is CTA_EXPECT_CLASS (nfnetlink_conntrack.h).
const expectClass = 9
