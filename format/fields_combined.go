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
	{Name: "orig_process", Kind: KindName, Help: "local process at the source, with its number (--processes)",
		text: origProcess},
	{Name: "reply_process", Kind: KindName, Help: "local process at the source of the reply (--processes)",
		text: replyProcess},
	{Name: "process", Kind: KindName, Help: "the process at the source, > and the one that replies (--processes)", text: bothProcesses},
}

func origProcess(_ *Printer, b []byte, f *ctnetlink.Flow, c *Context) []byte {
	return appendProcess(b, f.Orig(), c)
}

func replyProcess(_ *Printer, b []byte, f *ctnetlink.Flow, c *Context) []byte {
	return appendProcess(b, f.Reply(), c)
}

func bothProcesses(_ *Printer, b []byte, f *ctnetlink.Flow, c *Context) []byte {
	start := len(b)
	b = appendProcess(b, f.Orig(), c)
	end := len(b)
	if end > start {
		b = append(b, ' ')
	}
	b = append(b, "> "...)
	reply := len(b)
	if b = appendProcess(b, f.Reply(), c); len(b) == reply {
		return b[:end]
	}
	return b
}

// appendProcess appends the name and the number of the process at a source.
func appendProcess(b []byte, source *ctnetlink.Tuple, c *Context) []byte {
	if c.Process == nil {
		return b
	}
	process, ok := c.Process(c.NetNS, source)
	if !ok {
		return b
	}
	b = append(append(b, process.Name...), '[')
	return append(appendUint(b, uint64(process.PID)), ']')
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
