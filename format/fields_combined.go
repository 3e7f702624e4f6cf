package format

import (
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// tableFields are fields that tables have beside all others: what belongs
// together in one column.
var tableFields = []Field{
	{Name: "condition", Kind: KindWord, Help: "protocol's state, else unreplied, replied, assured or offloaded", text: conditionText},
	{Name: "source", Kind: KindWord, Help: "source with its port", side: sideOrig, member: memberSource, expectText: expectSourceText},
	{Name: "destination", Kind: KindWord, Help: "destination with its port", side: sideOrig, member: memberDestination},
	{Name: "translation", Kind: KindWord, Help: "what the source and the destination were translated to", text: natText},
	{Name: "master", Kind: KindWord, Help: "connection that expects", side: sideMaster, member: memberEnds},
}

// title is what stands above a column.
func (d *Field) title() string {
	switch d.Name {
	case "condition":
		return "STATE"
	case "timeout":
		return "EXPIRES"
	case "translation":
		return "NAT"
	}
	return strings.ToUpper(strings.ReplaceAll(d.Name, "_", " "))
}

// dull tells whether a cell of a usual column says nothing of interest: a
// column of such cells is left out.
func dull(name, cell string) bool {
	return len(cell) == 0 || name == "mark" && cell == "0"
}

// conditionText is the state of protocols that have one, else how far the
// conversation came.
func conditionText(p *Printer, b []byte, f *ctnetlink.Flow, c *Context) []byte {
	status, ok := f.Status()
	switch {
	case status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0:
		return append(b, "offloaded"...)
	}
	start := len(b)
	if b = stateText(p, b, f, c); len(b) > start || !ok {
		return b
	}
	switch {
	case status&ctnetlink.StatusAssured != 0:
		return append(b, "assured"...)
	case status&ctnetlink.StatusSeenReply != 0:
		return append(b, "replied"...)
	}
	return append(b, "unreplied"...)
}

func expectSourceText(b []byte, x *ctnetlink.Expect) []byte {
	t := x.Tuple()
	port, ok := memberSPort.number(t)
	return appendAddrPort(b, t.Src, port, ok && port != 0) // 0 is any
}

// natText tells the translations that were made, `snat ADDR:PORT' and `dnat
// ADDR:PORT'. The port is there when it is another than before, the address
// always.
func natText(_ *Printer, b []byte, f *ctnetlink.Flow, _ *Context) []byte {
	r := f.Reply()
	if f.SourceNAT() {
		port, ok := memberDPort.number(r)
		b = appendAddrPort(append(b, "snat "...), r.Dst, port, ok && f.SourcePortNAT())
	}
	if f.DestinationNAT() {
		if f.SourceNAT() {
			b = append(b, ' ')
		}
		port, ok := memberSPort.number(r)
		b = appendAddrPort(append(b, "dnat "...), r.Src, port, ok && f.DestinationPortNAT())
	}
	return b
}
