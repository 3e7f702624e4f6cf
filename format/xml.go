package format

import "github.com/gonntrack/gonntrack/ctnetlink"

// flowTags are the start tags of entries.
var flowTags = [...]string{
	EventNone:    "<flow>",
	EventNew:     `<flow type="new">`,
	EventUpdate:  `<flow type="update">`,
	EventDestroy: `<flow type="destroy">`,
	EventResync:  `<flow type="resync">`,
}

// appendFlowTag appends the start tag of an entry, with its network namespace.
func appendFlowTag(b []byte, c *Context) []byte {
	b = append(b, flowTags[c.Event]...)
	if c.NetNS == "" {
		return b
	}
	b = append(b[:len(b)-1], ` netns="`...)
	return append(appendXMLName(b, c.NetNS), `">`...)
}

// xmlFlow appends the <flow> element of an entry: a <meta> for each direction, and
// one for what belongs to neither.
func (p *Printer) xmlFlow(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	// The counters of the reply are shown if those of the original were sent.
	packets, bytes, counters := f.CountersOrig()
	b = appendFlowTag(b, c)
	b = appendXMLTuple(append(b, `<meta direction="original">`...), f.Orig(), f.Family())
	if counters {
		b = appendXMLCounters(b, packets, bytes)
	}
	b = appendXMLTuple(append(b, `</meta><meta direction="reply">`...), f.Reply(), f.Family())
	if counters {
		packets, bytes, _ = f.CountersReply()
		b = appendXMLCounters(b, packets, bytes)
	}
	b = append(b, "</meta>"...)

	const open = `<meta direction="independent">`
	n := len(b)
	b = append(b, open...)
	if b = p.appendIndependent(b, f, c); len(b) > n+len(open) {
		b = append(b, "</meta>"...)
	} else {
		b = b[:n]
	}
	if p.o.Timestamp && c.Event != EventNone {
		b = appendWhen(b, eventTime(f, c))
	}
	if v, ok := f.Helper(); ok {
		b = append(appendXMLName(append(b, "<helper>"...), v), "</helper>"...)
	}
	return append(b, "</flow>\n"...)
}

// appendIndependent appends what belongs to neither direction.
func (p *Printer) appendIndependent(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	if names := f.Orig().Proto.StateNames(); names != nil {
		if v, ok := f.State(); ok {
			b = append(append(append(b, "<state>"...), stateName(names, v)...), "</state>"...)
		}
	}
	if v, ok := wholeSeconds(f.Timeout()); ok {
		b = appendElement(b, "timeout", v)
	}
	if v, ok := f.Mark(); ok {
		b = appendElement(b, "mark", uint64(v))
	}
	if p.o.Labels {
		if set, ok := f.Labels(); ok {
			n := len(b)
			b = append(b, "<labels>"...)
			m := len(b)
			if b = p.appendLabels(b, set, ""); len(b) > m {
				b = append(b, "</labels>"...)
			} else {
				b = b[:n]
			}
		}
	}
	if v, ok := f.SecMark(); ok {
		b = appendElement(b, "secmark", uint64(v))
	}
	if v, ok := f.SecCtx(); ok {
		b = append(appendXMLName(append(b, "<secctx>"...), v), "</secctx>"...)
	}
	if v, ok := f.Zone(); ok {
		b = appendElement(b, "zone", uint64(v))
	}
	if v, ok := f.Use(); ok {
		b = appendElement(b, "use", uint64(v))
	}
	if v, ok := f.ID(); ok {
		b = appendElement(b, "id", uint64(v))
	}
	if status, ok := f.Status(); ok {
		if status&ctnetlink.StatusAssured != 0 {
			b = append(b, "<assured/>"...)
		}
		if status&ctnetlink.StatusSeenReply == 0 {
			b = append(b, "<unreplied/>"...)
		}
	}
	if !f.Has(ctnetlink.AttrTimestamp) {
		return b
	}
	start, hasStart := unixNanos(f.Start())
	stop, hasStop := unixNanos(f.Stop())
	if p.o.KTimestamp && (hasStart || hasStop) {
		b = append(b, "<timestamp>"...)
		if hasStart {
			b = appendElement(b, "start", start)
		}
		if hasStop {
			b = appendElement(b, "stop", stop)
		}
		b = append(b, "</timestamp>"...)
	}
	if v, ok := age(f, c); ok {
		if hasStop {
			// Unlike in the classic line, fractions count.
			v = (max(stop, start) - start) / second
		}
		b = appendElement(b, "deltatime", v)
	}
	return b
}

// appendElement appends an element with a number.
func appendElement(b []byte, name string, v uint64) []byte {
	b = append(append(append(b, '<'), name...), '>')
	b = appendUint(b, v)
	return append(append(append(b, "</"...), name...), '>')
}

func appendXMLCounters(b []byte, packets, bytes uint64) []byte {
	b = appendElement(append(b, "<counters>"...), "packets", packets)
	return append(appendElement(b, "bytes", bytes), "</counters>"...)
}

// appendXMLTuple appends the two layers and the zone of a direction.
func appendXMLTuple(b []byte, t *ctnetlink.Tuple, family ctnetlink.Family) []byte {
	if t.Has == 0 {
		family = ctnetlink.FamilyAny
	}
	b = appendXMLFamily(b, family)
	b = append(appendXMLAddrs(b, t, family), "</layer3>"...)
	b = appendXMLProto(b, t.Proto)
	b = append(appendXMLPorts(b, t), "</layer4>"...)
	if t.Has&ctnetlink.FieldZone != 0 {
		b = appendElement(b, "zone", uint64(t.Zone))
	}
	return b
}

func appendXMLFamily(b []byte, family ctnetlink.Family) []byte {
	switch family {
	case ctnetlink.FamilyIPv4:
		return append(b, `<layer3 protonum="2" protoname="ipv4">`...)
	case ctnetlink.FamilyIPv6:
		return append(b, `<layer3 protonum="10" protoname="ipv6">`...)
	}
	b = appendUint(append(b, `<layer3 protonum="`...), uint64(family))
	return append(b, `" protoname="unknown">`...)
}

func appendXMLProto(b []byte, proto ctnetlink.Protocol) []byte {
	name := proto.Name()
	if name == "" {
		name = "unknown"
	}
	b = appendUint(append(b, `<layer4 protonum="`...), uint64(proto))
	return append(append(append(b, `" protoname="`...), name...), `">`...)
}

// appendXMLAddrs appends the addresses of a tuple: two empty elements if the tuple
// was not sent or the family is unknown.
func appendXMLAddrs(b []byte, t *ctnetlink.Tuple, family ctnetlink.Family) []byte {
	if t.Has == 0 || family != ctnetlink.FamilyIPv4 && family != ctnetlink.FamilyIPv6 {
		return append(b, "<src></src><dst></dst>"...)
	}
	b = appendAddr(append(b, "<src>"...), t.Src, family)
	b = appendAddr(append(b, "</src><dst>"...), t.Dst, family)
	return append(b, "</dst>"...)
}

// appendXMLPorts appends the ports or keys of a tuple.
func appendXMLPorts(b []byte, t *ctnetlink.Tuple) []byte {
	switch {
	case t.Has == 0:
	case t.Proto.HasPorts():
		b = appendElement(b, "sport", uint64(t.SrcPort))
		b = appendElement(b, "dport", uint64(t.DstPort))
	case t.Proto == ctnetlink.ProtoGRE:
		b = appendHex(append(b, "<srckey>0x"...), t.SrcPort)
		b = appendHex(append(b, "</srckey><dstkey>0x"...), t.DstPort)
		b = append(b, "</dstkey>"...)
	}
	return b
}

// xmlExpect appends the <flow> element of an expectation. Each layer has the
// addresses or ports of its three tuples.
func (p *Printer) xmlExpect(b []byte, e *ctnetlink.Expect, c *Context) []byte {
	tuples := [...]struct {
		open, end string
		t         *ctnetlink.Tuple
	}{
		{"<expected>", "</expected>", e.Tuple()},
		{"<mask>", "</mask>", e.Mask()},
		{"<master>", "</master>", e.Master()},
	}
	b = appendFlowTag(b, c)
	family := e.Family()
	if e.Tuple().Has == 0 {
		family = ctnetlink.FamilyAny
	}
	b = appendXMLFamily(b, family)
	for i := range tuples {
		b = append(b, tuples[i].open...)
		b = appendXMLAddrs(b, tuples[i].t, e.Family())
		b = append(b, tuples[i].end...)
	}
	b = appendXMLProto(append(b, "</layer3>"...), e.Tuple().Proto)
	for i := range tuples {
		b = append(b, tuples[i].open...)
		b = appendXMLPorts(b, tuples[i].t)
		b = append(b, tuples[i].end...)
	}
	b = append(b, "</layer4><meta>"...)
	if v, ok := e.Helper(); ok {
		b = append(appendXMLName(append(b, "<helper-name>"...), v), "</helper-name>"...)
	}
	if v, ok := wholeSeconds(e.Timeout()); ok {
		b = appendElement(b, "timeout", v)
	}
	if v, ok := e.Class(); ok {
		b = appendElement(b, "class", uint64(v))
	}
	if v, ok := e.Zone(); ok {
		b = appendElement(b, "zone", uint64(v))
	}
	if p.o.Timestamp {
		b = appendWhen(b, c.now())
	}
	flags, _ := e.Flags()
	for _, f := range expectFlags {
		if flags&f.bit != 0 {
			b = append(b, f.element...)
		}
	}
	return append(b, "</meta></flow>\n"...)
}
