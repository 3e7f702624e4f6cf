package format

import (
	"bytes"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// saveFlow appends the command that creates the entry, or that repeats an event. The
// options of a protocol follow its -p, because some versions of conntrack require
// it.
func (p *Printer) saveFlow(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	if f.Orig().Has&ctnetlink.FieldAddrs != ctnetlink.FieldAddrs {
		// A command without addresses would select all entries.
		return append(b, "# an entry without addresses\n"...)
	}
	verb := c.Verb
	if verb == 0 {
		verb = "AAUDA"[c.Event]
	}
	b = append(b, '-', verb)
	status, hasStatus := f.Status()
	if v, ok := wholeSeconds(f.Timeout()); ok {
		b = appendOption(b, " -t ", v)
	} else if verb == 'A' {
		b = appendOption(b, " -t ", offloadTimeout)
	}
	if hasStatus {
		b = appendStatus(b, status)
	}
	if v, ok := f.Mark(); ok && v != 0 {
		b = appendOption(b, " -m ", uint64(v))
	}
	if v, ok := f.SecMark(); ok && verb == 'D' {
		// Only -D has this option: no request can set the security mark.
		b = appendOption(b, " -c ", uint64(v))
	}
	if verb != 'D' {
		b = p.saveLabels(b, f)
		if p.o.Complete && verb == 'A' { // -U does not have these options
			b = p.saveLabelBits(b, f)
			b = saveHelper(b, f)
		}
	}
	if v, ok := f.Zone(); ok {
		b = appendOption(b, " -w ", uint64(v))
	}
	orig, reply := f.Orig(), f.Reply()
	if orig.Has&ctnetlink.FieldZone != 0 {
		b = appendOption(b, " --orig-zone ", uint64(orig.Zone))
	}
	if reply.Has&ctnetlink.FieldZone != 0 {
		b = appendOption(b, " --reply-zone ", uint64(reply.Zone))
	}
	b = saveAddrs(b, f)
	return append(saveProto(b, f, verb, status), '\n')
}

// offloadTimeout is the timeout, in seconds, of entries that a flow table forwards.
// The kernel does not send it, but -A requires one; nf_flow_table_core.c sets a day.
const offloadTimeout = 86400

// appendOption appends an option with a numeric value.
func appendOption(b []byte, name string, v uint64) []byte {
	return appendUint(append(b, name...), v)
}

// savedStatus are the flags that an entry can be created with. EXPECTED cannot be
// set without a master.
var savedStatus = [...]struct {
	bit  ctnetlink.Status
	name string
}{
	{ctnetlink.StatusSeenReply, "SEEN_REPLY"},
	{ctnetlink.StatusAssured, "ASSURED"},
	{ctnetlink.StatusFixedTimeout, "FIXED_TIMEOUT"},
}

func appendStatus(b []byte, status ctnetlink.Status) []byte {
	b = append(b, " -u "...)
	n := len(b)
	for _, s := range savedStatus {
		if status&s.bit != 0 {
			b = append(append(b, s.name...), ',')
		}
	}
	if len(b) == n {
		return append(b, "UNSET"...)
	}
	return b[:len(b)-1]
}

// saveLabels appends the labels that have names as one list, in quotes if a name
// contains a blank.
func (p *Printer) saveLabels(b []byte, f *ctnetlink.Flow) []byte {
	set, ok := f.Labels()
	if !ok {
		return b
	}
	start := len(b)
	b = append(b, ` --label-add "`...)
	n := len(b)
	b = p.appendLabels(b, set, ",")
	if len(b) == n {
		return b[:start]
	}
	for _, c := range b[n:] {
		if c == ' ' {
			return append(b, '"')
		}
	}
	copy(b[n-1:], b[n:])
	return b[:len(b)-1]
}

// saveLabelBits appends the bits of the labels without a name.
func (p *Printer) saveLabelBits(b []byte, f *ctnetlink.Flow) []byte {
	set, _ := f.Labels()
	before := " --label-bits "
	for bit := range set.All() {
		if bit < ctnetlink.MaxLabels && (bit >= len(p.labels) || p.labels[bit] == "") {
			b = appendOption(b, before, uint64(bit))
			before = ","
		}
	}
	return b
}

// saveHelper appends the name of the helper, in quotes if it is not a single word. It
// leaves out a name that a line cannot contain.
func saveHelper(b []byte, f *ctnetlink.Flow) []byte {
	name, ok := f.Helper()
	if !ok || !writable(name) {
		return b
	}
	b = append(b, " --helper "...)
	if !bytes.ContainsAny(name, ` "\\`) {
		return append(b, name...)
	}
	b = append(b, '"')
	for _, c := range name {
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// saveAddrs appends the addresses of both tuples. An address of the reply that comes
// from a translation is written as that translation, also if only the port was
// translated; with the port if that was translated.
func saveAddrs(b []byte, f *ctnetlink.Flow) []byte {
	orig, reply := f.Orig(), f.Reply()
	if orig.Has&ctnetlink.FieldAddrs == ctnetlink.FieldAddrs {
		b = appendAddr(append(b, " -s "...), orig.Src, 0)
		b = appendAddr(append(b, " -d "...), orig.Dst, 0)
	}
	if reply.Has&ctnetlink.FieldAddrs != ctnetlink.FieldAddrs {
		return b
	}
	// Translated GRE keys come from the PPTP helper: no option sets them.
	ports := orig.Proto != ctnetlink.ProtoGRE
	switch {
	case !f.DestinationNAT() || !ports && reply.Src == orig.Dst:
		b = appendAddr(append(b, " -r "...), reply.Src, 0)
	case ports && f.DestinationPortNAT():
		b = appendAddrPort(append(b, " -g "...), reply.Src, uint64(reply.SrcPort), true)
	default:
		b = appendAddr(append(b, " -g "...), reply.Src, 0)
	}
	switch {
	case !f.SourceNAT() || !ports && reply.Dst == orig.Src:
		b = appendAddr(append(b, " -q "...), reply.Dst, 0)
	case ports && f.SourcePortNAT():
		port := reply.DstPort
		if reply.Has&ctnetlink.FieldDstPort == 0 {
			port = reply.ICMPID // which the kernel translates as a port
		}
		b = appendAddrPort(append(b, " -n "...), reply.Dst, uint64(port), true)
	default:
		b = appendAddr(append(b, " -n "...), reply.Dst, 0)
	}
	return b
}

// saveProto appends -p and the options of the protocol. -A requires all of them:
// those that the kernel did not send get the value of an entry created without them.
func saveProto(b []byte, f *ctnetlink.Flow, verb byte, status ctnetlink.Status) []byte {
	orig, reply := f.Orig(), f.Reply()
	if orig.Has == 0 {
		return b
	}
	b = append(b, " -p "...)
	name := orig.Proto.Name()
	if name == "" {
		return appendUint(b, uint64(orig.Proto))
	}
	b = append(b, name...)
	need := verb == 'A'
	switch orig.Proto {
	case ctnetlink.ProtoICMP:
		return saveICMP(b, orig, need, " --icmp-type ", " --icmp-code ", " --icmp-id ")
	case ctnetlink.ProtoICMPv6:
		return saveICMP(b, orig, need, " --icmpv6-type ", " --icmpv6-code ", " --icmpv6-id ")
	case ctnetlink.ProtoGRE:
		b = savePorts(b, orig, need, " --srckey ", " --dstkey ")
		return savePorts(b, reply, need && reply.Has != 0, " --reply-key-src ", " --reply-key-dst ")
	}
	b = savePorts(b, orig, need, " --sport ", " --dport ")
	b = savePorts(b, reply, need && reply.Has != 0, " --reply-port-src ", " --reply-port-dst ")
	names := orig.Proto.StateNames()
	if names == nil {
		return b
	}
	info, _ := f.ProtoInfo()
	if info.Proto != orig.Proto {
		info = ctnetlink.ProtoInfo{}
	}
	switch {
	case info.Has&ctnetlink.InfoState != 0:
		b = append(append(b, " --state "...), stateName(names, info.State)...)
	case need && status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0 && orig.Proto == ctnetlink.ProtoTCP:
		// Flow tables only contain established connections.
		b = append(b, " --state ESTABLISHED"...)
	case need:
		b = append(b, " --state NONE"...)
	}
	switch orig.Proto {
	case ctnetlink.ProtoSCTP:
		if need || info.Has&ctnetlink.InfoVTags != 0 {
			b = appendOption(b, " --orig-vtag ", uint64(info.VTag[0]))
			b = appendOption(b, " --reply-vtag ", uint64(info.VTag[1]))
		}
	case ctnetlink.ProtoDCCP:
		if info.Role == 1 {
			b = append(b, " --role server"...)
		} else if need || info.Has&ctnetlink.InfoRole != 0 {
			b = append(b, " --role client"...)
		}
	}
	return b
}

// savePorts appends the ports or keys of a tuple.
func savePorts(b []byte, t *ctnetlink.Tuple, need bool, src, dst string) []byte {
	if need || t.Has&ctnetlink.FieldSrcPort != 0 {
		b = appendOption(b, src, uint64(t.SrcPort))
	}
	if need || t.Has&ctnetlink.FieldDstPort != 0 {
		b = appendOption(b, dst, uint64(t.DstPort))
	}
	return b
}

// saveICMP appends type, code and identifier, from which those of the reply follow.
func saveICMP(b []byte, t *ctnetlink.Tuple, need bool, typ, code, id string) []byte {
	if need || t.Has&ctnetlink.FieldICMPType != 0 {
		b = appendOption(b, typ, uint64(t.ICMPType))
	}
	if need || t.Has&ctnetlink.FieldICMPCode != 0 {
		b = appendOption(b, code, uint64(t.ICMPCode))
	}
	if need || t.Has&ctnetlink.FieldICMPID != 0 {
		b = appendOption(b, id, uint64(t.ICMPID))
	}
	return b
}
