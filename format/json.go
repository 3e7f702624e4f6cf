package format

import (
	"math/bits"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Objects and arrays are written with a comma after each member; closeJSON
// replaces the last comma.

// The array of StyleJSON.
const (
	jsonOpen  = "[\n"
	jsonClose = "\n]\n"
	jsonEmpty = "[]\n"
)

// closeJSON ends the object or array that begins at start.
func closeJSON(b []byte, start int, end byte) []byte {
	if n := len(b); n > start+1 {
		b[n-1] = end
		return b
	}
	return append(b, end)
}

// jsonNumber appends a member with a number. key includes quotes and colon.
func jsonNumber(b []byte, key string, v uint64) []byte {
	return append(appendUint(append(b, key...), v), ',')
}

// jsonWord appends a member with a string that needs no escapes.
func jsonWord(b []byte, key, word string) []byte {
	b = append(append(b, key...), '"')
	return append(append(b, word...), '"', ',')
}

// jsonName appends a member with a name from outside.
func jsonName[T []byte | string](b []byte, key string, name T) []byte {
	return append(appendJSONString(append(b, key...), name), ',')
}

// jsonTime appends a member with a time, given in nanoseconds since 1970.
func jsonTime(b []byte, key string, ns uint64) []byte {
	b = append(append(b, key...), '"')
	return append(appendTime(b, ns), '"', ',')
}

// jsonFlow appends the object of an entry.
func (p *Printer) jsonFlow(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	start := len(b)
	b = append(b, '{')
	if c.Event != EventNone {
		b = jsonWord(b, `"event":`, eventWords[c.Event])
		b = jsonTime(b, `"time":`, nanos(eventTime(f, c)))
	}
	b = jsonLook(b, c)
	orig := f.Orig()
	b = jsonOrigin(b, f.Family(), orig, c)
	if names := orig.Proto.StateNames(); names != nil {
		if v, ok := f.State(); ok {
			b = jsonWord(b, `"state":`, stateWord(names, v))
		}
	}
	var info ctnetlink.ProtoInfo // of protocols that show more than the state
	if orig.Proto == ctnetlink.ProtoSCTP || orig.Proto == ctnetlink.ProtoDCCP {
		info, _ = f.ProtoInfo()
		if info.Has&ctnetlink.InfoRole != 0 && int(info.Role) < len(roleWords) {
			b = jsonWord(b, `"role":`, roleWords[info.Role])
		}
	}
	if v, ok := wholeSeconds(f.Timeout()); ok {
		b = jsonNumber(b, `"timeout":`, v)
	}
	b = jsonDirections(b, f, &info, c)
	b = jsonNAT(b, f)
	b = p.jsonRest(b, f)
	b = jsonLife(b, f, c)
	if c.Event != EventNone {
		b = jsonCause(b, c)
	}
	return closeJSON(b, start, '}')
}

// jsonLook appends the time of the look in which the entry was listed.
func jsonLook(b []byte, c *Context) []byte {
	if c.Look.IsZero() {
		return b
	}
	return jsonTime(b, `"time":`, nanos(c.Look))
}

// jsonOrigin appends the network namespace, the family and the protocol.
func jsonOrigin(b []byte, family ctnetlink.Family, t *ctnetlink.Tuple, c *Context) []byte {
	if c.NetNS != "" {
		b = jsonName(b, `"netns":`, c.NetNS)
	}
	b = jsonWord(b, `"family":`, familyWord(family))
	return jsonProto(b, t)
}

func jsonProto(b []byte, t *ctnetlink.Tuple) []byte {
	if t.Has&ctnetlink.FieldProto == 0 {
		return b
	}
	b = jsonWord(b, `"proto":`, protoWord(t.Proto))
	return jsonNumber(b, `"protonum":`, uint64(t.Proto))
}

// jsonCause appends the process that caused an event.
func jsonCause(b []byte, c *Context) []byte {
	if c.PortID != 0 {
		b = jsonNumber(b, `"portid":`, uint64(c.PortID))
	}
	if c.Program != "" {
		b = jsonName(b, `"program":`, c.Program)
	}
	return b
}

// jsonTuple appends the members of a tuple that were sent.
func jsonTuple(b []byte, t *ctnetlink.Tuple) []byte {
	if t.Has&ctnetlink.FieldSrc != 0 {
		b = append(appendAddr(append(b, `"src":"`...), t.Src, 0), '"', ',')
	}
	if t.Has&ctnetlink.FieldDst != 0 {
		b = append(appendAddr(append(b, `"dst":"`...), t.Dst, 0), '"', ',')
	}
	if t.Has&ctnetlink.FieldPorts != 0 {
		src, dst := `"sport":`, `"dport":`
		if t.Proto == ctnetlink.ProtoGRE {
			src, dst = `"srckey":`, `"dstkey":`
		}
		if t.Has&ctnetlink.FieldSrcPort != 0 {
			b = jsonNumber(b, src, uint64(t.SrcPort))
		}
		if t.Has&ctnetlink.FieldDstPort != 0 {
			b = jsonNumber(b, dst, uint64(t.DstPort))
		}
	}
	if t.Has&ctnetlink.FieldICMP != 0 {
		if t.Has&ctnetlink.FieldICMPType != 0 {
			b = jsonNumber(b, `"type":`, uint64(t.ICMPType))
		}
		if t.Has&ctnetlink.FieldICMPCode != 0 {
			b = jsonNumber(b, `"code":`, uint64(t.ICMPCode))
		}
		if t.Has&ctnetlink.FieldICMPID != 0 {
			b = jsonNumber(b, `"icmp_id":`, uint64(t.ICMPID))
		}
	}
	if t.Has&ctnetlink.FieldZone != 0 {
		b = jsonNumber(b, `"zone":`, uint64(t.Zone))
	}
	return b
}

// jsonDirections appends both directions: tuple, verification tag, counters, process.
func jsonDirections(b []byte, f *ctnetlink.Flow, info *ctnetlink.ProtoInfo, c *Context) []byte {
	for i, key := range [...]string{`"orig":{`, `"reply":{`} {
		t := f.Orig()
		if i == 1 {
			t = f.Reply()
		}
		before := len(b)
		b = append(b, key...)
		open := len(b) - 1
		b = jsonTuple(b, t)
		if info.Has&ctnetlink.InfoVTags != 0 {
			b = jsonNumber(b, `"vtag":`, uint64(info.VTag[i]))
		}
		packets, bytes, ok := f.CountersOrig()
		if i == 1 {
			packets, bytes, ok = f.CountersReply()
		}
		if ok {
			b = jsonNumber(b, `"packets":`, packets)
			b = jsonNumber(b, `"bytes":`, bytes)
		}
		switch r := c.Rates; {
		case r == nil || !r.Known:
		case i == 0:
			b = jsonRates(b, r.OrigPackets, r.OrigBytes)
		default:
			b = jsonRates(b, r.ReplyPackets, r.ReplyBytes)
		}
		if c.Process != nil {
			b = jsonProcess(b, t, c)
		}
		if len(b) == open+1 {
			b = b[:before] // the kernel sent nothing of it
			continue
		}
		b = append(closeJSON(b, open, '}'), ',')
	}
	return b
}

// jsonProcess appends the local process at the source of a direction.
func jsonProcess(b []byte, source *ctnetlink.Tuple, c *Context) []byte {
	process, ok := c.Process(c.NetNS, source)
	if !ok {
		return b
	}
	b = jsonNumber(append(b, `"process":{`...), `"pid":`, uint64(process.PID))
	b = jsonName(b, `"name":`, process.Name)
	b[len(b)-1] = '}'
	return append(b, ',')
}

// jsonNAT appends the addresses and ports that source and destination were
// translated to.
func jsonNAT(b []byte, f *ctnetlink.Flow) []byte {
	src, dst := f.SourceNAT(), f.DestinationNAT()
	if !src && !dst {
		return b
	}
	b = append(b, `"nat":{`...)
	if src {
		b = append(b, `"src":{`...)
		open := len(b) - 1
		if a, ok := natSrc(f); ok {
			b = append(appendAddr(append(b, `"addr":"`...), a, 0), '"', ',')
		}
		if v, ok := natSPort(f, &noContext); ok {
			b = jsonNumber(b, natPortKey(f.Reply()), v)
		}
		b = append(closeJSON(b, open, '}'), ',')
	}
	if dst {
		b = append(b, `"dst":{`...)
		open := len(b) - 1
		if a, ok := natDst(f); ok {
			b = append(appendAddr(append(b, `"addr":"`...), a, 0), '"', ',')
		}
		if v, ok := natDPort(f, &noContext); ok {
			b = jsonNumber(b, natPortKey(f.Reply()), v)
		}
		b = append(closeJSON(b, open, '}'), ',')
	}
	b[len(b)-1] = '}'
	return append(b, ',')
}

// natPortKey returns the key of a translated port, GRE key or query identifier.
func natPortKey(t *ctnetlink.Tuple) string {
	switch {
	case t.Proto == ctnetlink.ProtoGRE:
		return `"key":`
	case t.Has&ctnetlink.FieldPorts == 0:
		return `"icmp_id":`
	}
	return `"port":`
}

// jsonRest appends what belongs to neither direction, except times.
func (p *Printer) jsonRest(b []byte, f *ctnetlink.Flow) []byte {
	if v, ok := f.Status(); ok {
		b = jsonStatus(b, v)
	}
	if v, ok := f.Mark(); ok {
		b = jsonNumber(b, `"mark":`, uint64(v))
	}
	if v, ok := f.SecMark(); ok {
		b = jsonNumber(b, `"secmark":`, uint64(v))
	}
	if v, ok := f.SecCtx(); ok {
		b = jsonName(b, `"secctx":`, v)
	}
	if v, ok := f.Zone(); ok {
		b = jsonNumber(b, `"zone":`, uint64(v))
	}
	if set, ok := f.Labels(); ok {
		b = p.jsonLabels(b, set)
	}
	if v, ok := f.Helper(); ok {
		b = jsonName(b, `"helper":`, v)
	}
	if t, ok := f.Master(); ok {
		b = jsonMaster(b, &t)
	}
	return b
}

// jsonMaster appends the connection that expected another one.
func jsonMaster(b []byte, t *ctnetlink.Tuple) []byte {
	b = append(b, `"master":{`...)
	open := len(b) - 1
	b = jsonTuple(jsonProto(b, t), t)
	return append(closeJSON(b, open, '}'), ',')
}

func jsonStatus(b []byte, status ctnetlink.Status) []byte {
	b = append(b, `"status":[`...)
	open := len(b) - 1
	for set := uint32(status); set != 0; set &= set - 1 {
		b = append(appendStatusWord(append(b, '"'), bits.TrailingZeros32(set)), '"', ',')
	}
	return append(closeJSON(b, open, ']'), ',')
}

// jsonLabels appends a label set. The names of labels include quotes.
func (p *Printer) jsonLabels(b []byte, set ctnetlink.Labels) []byte {
	b = append(b, `"labels":[`...)
	open := len(b) - 1
	for bit := range set.All() {
		if bit < len(p.labels) && p.labels[bit] != "" {
			b = append(b, p.labels[bit]...)
		} else {
			b = append(p.appendLabel(append(b, '"'), bit), '"')
		}
		b = append(b, ',')
	}
	return append(closeJSON(b, open, ']'), ',')
}

// jsonLife appends start, stop, age, id and use of an entry.
func jsonLife(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	if v, ok := unixNanos(f.Start()); ok {
		b = jsonTime(b, `"start":`, v)
		if v, ok := unixNanos(f.Stop()); ok {
			b = jsonTime(b, `"stop":`, v)
		}
		if v, ok := age(f, c); ok {
			b = jsonNumber(b, `"age":`, v)
		}
	} else if v, ok := unixNanos(f.Stop()); ok {
		b = jsonTime(b, `"stop":`, v)
	}
	if v, ok := f.ID(); ok {
		b = jsonNumber(b, `"id":`, uint64(v))
	}
	if v, ok := f.Use(); ok {
		b = jsonNumber(b, `"use":`, uint64(v))
	}
	return b
}
