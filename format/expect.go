package format

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// classicExpect appends the line of conntrack -L expect or -E expect.
func (p *Printer) classicExpect(b []byte, e *ctnetlink.Expect, c *Context) []byte {
	if p.o.Timestamp {
		b = appendSecondsBlank(b, c.now())
	}
	b = append(b, eventTags[c.Event]...)
	if v, ok := wholeSeconds(e.Timeout()); ok {
		b = appendField(b, "", v)
	}
	b = appendField(b, "proto=", uint64(e.Tuple().Proto))
	b = appendTuple(b, e.Tuple(), e.Family(), "src=", "dst=")
	b = appendTuple(b, e.Mask(), e.Family(), "mask-src=", "mask-dst=")
	b = appendTuple(b, e.Master(), e.Family(), "master-src=", "master-dst=")
	if v, ok := e.Zone(); ok {
		b = appendField(b, "zone=", uint64(v))
	}
	if flags, _ := e.Flags(); flags&7 != 0 {
		for _, f := range expectFlags {
			if flags&f.bit != 0 {
				b = append(append(b, f.name...), ',')
			}
		}
		b[len(b)-1] = ' '
	}
	if v, ok := e.Class(); ok {
		b = appendField(b, "class=", uint64(v))
	}
	if v, ok := e.Helper(); ok {
		b = append(printable.Append(append(b, "helper="...), v), ' ')
	}
	if c.NetNS != "" {
		b = append(printable.Append(append(b, "netns="...), c.NetNS), ' ')
	}
	return endLine(b)
}

// expectFlags are the names of an expectation's flags in the order of the classic
// line, and their elements in XML.
var expectFlags = [...]struct {
	bit           ctnetlink.ExpectFlags
	name, element string
}{
	{ctnetlink.ExpectPermanent, "PERMANENT", "<permanent/>"},
	{ctnetlink.ExpectInactive, "INACTIVE", "<inactive/>"},
	{ctnetlink.ExpectUserspace, "USERSPACE", "<userspace/>"},
}
