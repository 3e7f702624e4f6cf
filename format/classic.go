package format

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// eventTags are right-aligned in 9 columns, with a blank after them.
var eventTags = [...]string{
	EventNone:    "",
	EventNew:     "    [NEW] ",
	EventUpdate:  " [UPDATE] ",
	EventDestroy: "[DESTROY] ",
	EventResync:  " [RESYNC] ",
}

// classicFlow appends the line of conntrack -L or -E: fields in a fixed order,
// separated by blanks.
func (p *Printer) classicFlow(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	if c.Event != EventNone {
		if p.o.Timestamp {
			b = appendSeconds(b, eventTime(f, c))
		}
		b = append(b, eventTags[c.Event]...)
	}
	if p.o.Extended {
		b = appendFamily(b, f.Family())
	}
	orig, reply := f.Orig(), f.Reply()
	if orig.Has != 0 {
		b = appendProto(b, orig.Proto)
	}
	if v, ok := wholeSeconds(f.Timeout()); ok {
		b = appendField(b, "", v)
	}
	if names := orig.Proto.StateNames(); names != nil {
		if v, ok := f.State(); ok {
			b = append(append(b, stateName(names, v)...), ' ')
		}
	}
	b = appendTuple(b, orig, f.Family(), "src=", "dst=")
	if orig.Has&ctnetlink.FieldZone != 0 {
		b = appendField(b, "zone-orig=", uint64(orig.Zone))
	}
	if packets, bytes, ok := f.CountersOrig(); ok {
		b = appendCounters(b, packets, bytes)
	}
	status, hasStatus := f.Status()
	if hasStatus && status&ctnetlink.StatusSeenReply == 0 {
		b = append(b, "[UNREPLIED] "...)
	}
	b = appendTuple(b, reply, f.Family(), "src=", "dst=")
	if reply.Has&ctnetlink.FieldZone != 0 {
		b = appendField(b, "zone-reply=", uint64(reply.Zone))
	}
	if packets, bytes, ok := f.CountersReply(); ok {
		b = appendCounters(b, packets, bytes)
	}
	switch {
	case status&ctnetlink.StatusHWOffload != 0:
		b = append(b, "[HW_OFFLOAD] "...)
	case status&ctnetlink.StatusOffload != 0:
		b = append(b, "[OFFLOAD] "...)
	case status&ctnetlink.StatusAssured != 0:
		b = append(b, "[ASSURED] "...)
	}
	if v, ok := f.Mark(); ok {
		b = appendField(b, "mark=", uint64(v))
	}
	if v, ok := f.SecMark(); ok {
		b = appendField(b, "secmark=", uint64(v))
	}
	if v, ok := f.SecCtx(); ok {
		b = append(printable.Append(append(b, "secctx="...), v), ' ')
	}
	if v, ok := f.Zone(); ok {
		b = appendField(b, "zone=", uint64(v))
	}
	if f.Has(ctnetlink.AttrTimestamp) {
		b = p.appendLife(b, f, c)
	}
	if v, ok := f.Helper(); ok {
		b = append(printable.Append(append(b, "helper="...), v), ' ')
	}
	if v, ok := f.Use(); ok {
		b = appendField(b, "use=", uint64(v))
	}
	if p.o.ID {
		if v, ok := f.ID(); ok {
			b = appendField(b, "id=", uint64(v))
		}
	}
	if p.o.Labels {
		if set, ok := f.Labels(); ok {
			n := len(b)
			b = append(b, "labels="...)
			m := len(b)
			if b = p.appendLabels(b, set, ","); len(b) > m {
				b = append(b, ' ')
			} else {
				b = b[:n]
			}
		}
	}
	if c.NetNS != "" {
		b = append(printable.Append(append(b, "netns="...), c.NetNS), ' ')
	}
	if c.PortID != 0 && c.Event != EventNone {
		b = appendField(b, "[USERSPACE] portid=", uint64(c.PortID))
		if c.Program != "" {
			b = append(printable.Append(append(b, "progname="...), c.Program), ' ')
		}
	}
	return endLine(b)
}

// endLine ends a line, and removes a blank after its last field.
func endLine(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == ' ' {
		b[n-1] = '\n'
		return b
	}
	return append(b, '\n')
}

// appendField appends a name, a number and a blank.
func appendField(b []byte, name string, v uint64) []byte {
	return append(appendUint(append(b, name...), v), ' ')
}

func appendCounters(b []byte, packets, bytes uint64) []byte {
	return appendField(appendField(b, "packets=", packets), "bytes=", bytes)
}

// appendFamily appends the name of the layer-3 protocol in 8 columns, and its
// number.
func appendFamily(b []byte, family ctnetlink.Family) []byte {
	switch family {
	case ctnetlink.FamilyIPv4:
		return append(b, "ipv4     2 "...)
	case ctnetlink.FamilyIPv6:
		return append(b, "ipv6     10 "...)
	}
	return appendField(b, "unknown  ", uint64(family))
}

// appendProto appends the name and number of the layer-4 protocol.
func appendProto(b []byte, proto ctnetlink.Protocol) []byte {
	switch proto {
	case ctnetlink.ProtoTCP:
		return append(b, "tcp      6 "...)
	case ctnetlink.ProtoUDP:
		return append(b, "udp      17 "...)
	case ctnetlink.ProtoICMP:
		return append(b, "icmp     1 "...)
	case ctnetlink.ProtoICMPv6:
		return append(b, "icmpv6   58 "...)
	case ctnetlink.ProtoSCTP:
		return append(b, "sctp     132 "...)
	case ctnetlink.ProtoDCCP:
		return append(b, "dccp     33 "...)
	case ctnetlink.ProtoGRE:
		return append(b, "gre      47 "...)
	case ctnetlink.ProtoUDPLite:
		return append(b, "udplite  136 "...)
	}
	return appendField(b, "unknown  ", uint64(proto))
}

// stateName returns the name of a state, or NONE if it has none.
func stateName(names []string, state ctnetlink.State) string {
	if n := int(state.Number()); n < len(names) {
		return names[n]
	}
	return "NONE"
}

// appendTuple appends the addresses of a tuple with the labels src and dst, and
// the ports, identifiers or keys of its protocol. It appends nothing for a tuple
// that was not sent.
func appendTuple(b []byte, t *ctnetlink.Tuple, family ctnetlink.Family, src, dst string) []byte {
	if t.Has&^ctnetlink.FieldZone == 0 {
		return b
	}
	b = appendAddr(append(b, src...), t.Src, family)
	b = append(b, ' ')
	b = appendAddr(append(b, dst...), t.Dst, family)
	b = append(b, ' ')
	switch t.Proto {
	case ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoUDPLite, ctnetlink.ProtoSCTP, ctnetlink.ProtoDCCP:
		b = appendField(b, "sport=", uint64(t.SrcPort))
		b = appendField(b, "dport=", uint64(t.DstPort))
	case ctnetlink.ProtoICMP, ctnetlink.ProtoICMPv6:
		b = appendField(b, "type=", uint64(t.ICMPType))
		b = appendField(b, "code=", uint64(t.ICMPCode))
		b = appendField(b, "id=", uint64(t.ICMPID))
	case ctnetlink.ProtoGRE:
		b = append(appendHex(append(b, "srckey=0x"...), t.SrcPort), ' ')
		b = append(appendHex(append(b, "dstkey=0x"...), t.DstPort), ' ')
	}
	return b
}

// appendLife appends the age of an entry, and with KTimestamp its start and stop
// times.
func (p *Printer) appendLife(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	if v, ok := age(f, c); ok {
		b = appendField(b, "delta-time=", v)
	}
	if !p.o.KTimestamp {
		return b
	}
	if v, ok := unixNanos(f.Start()); ok {
		b = append(appendCtime(append(b, "[start="...), v), "] "...)
	}
	if v, ok := unixNanos(f.Stop()); ok {
		b = append(appendCtime(append(b, "[stop="...), v), "] "...)
	}
	return b
}
