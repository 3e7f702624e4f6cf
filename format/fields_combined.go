package format

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// tableFields are fields that combine several values in one column of a table.
var tableFields = []Field{
	{Name: "condition", Kind: KindWord, Help: "state of the protocol, otherwise unreplied, replied or assured; or offloaded",
		text: conditionText},
	{Name: "source", Kind: KindWord, Help: "source with port",
		side: sideOrig, member: memberSource, expectText: expectSourceText},
	{Name: "destination", Kind: KindWord, Help: "destination with port", side: sideOrig, member: memberDestination},
	{Name: "translation", Kind: KindWord, Help: "snat and dnat with the translated source and destination",
		text: natText},
	{Name: "master", Kind: KindWord, Help: "source and destination of the master connection",
		side: sideMaster, member: memberEnds},
}

// conditionText appends the state of the protocol, or if it has none what the status
// says about replies.
func conditionText(p *Printer, b []byte, f *ctnetlink.Flow, c *Context) []byte {
	status, ok := f.Status()
	if status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0 {
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
	return appendAddrPort(b, t.Src, port, ok && port != 0) // 0 matches any port
}

// natText appends the translations, snat ADDRESS:PORT and dnat ADDRESS:PORT, with
// the port only if that was translated.
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
