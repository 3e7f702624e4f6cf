package format

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Packet is what a table said of one packet, for a [PacketPrinter].
type Packet struct {
	Number    int    // in its capture, from 1
	File      string // its capture, "" to leave it out
	Interface string // where it was captured, "" if that is not known
	Time      time.Time
	Verdict   string // NEW, ESTABLISHED …
	Direction string // original or reply; "" without an entry
	Reason    []byte // in words; empty: none
	Name      string // the reason's name
	Kernel    []byte // the kernel's text for it; empty: it has none
	Leaves    string // forwarded, translated, delivered, waits, dropped; "": it was no IP packet
	Dropped   string // by what, a reason's name; "": it was not
	// Before and After are the states of a TCP or SCTP entry, 0: none.
	Before, After ctnetlink.State
	// Entry reports that the packet has an entry in the table, with Timeout seconds
	// left.
	Entry   bool
	Timeout uint32
	// Left is the packet's tuple as it leaves; nil: as it came, or not at all.
	Left *ctnetlink.Tuple
	// Tuple is the entry's original tuple, without an entry the packet's own. Own is
	// the packet's own.
	Tuple, Own *ctnetlink.Tuple
}

// PacketPrinter writes packets: a line of text for each, or records in StyleJSON,
// StyleJSONL and StyleCSV.
type PacketPrinter struct {
	style Style
	files bool
	n     int
}

// NewPacketPrinter returns a printer. With files, the records name the captures.
func NewPacketPrinter(s Style, files bool) *PacketPrinter {
	return &PacketPrinter{style: s, files: files}
}

// packetColumns are the columns of CSV.
const packetColumns = "packet,time,interface,verdict,direction,reason,reason_name,kernel,leaves,dropped_by," +
	"state_before,state_after,timeout,family,proto,protonum,src,dst,sport,dport,type,code,icmp_id,srckey,dstkey," +
	"left_src,left_dst,left_sport,left_dport,left_icmp_id\n"

// AppendHeader appends what precedes the first packet.
func (p *PacketPrinter) AppendHeader(b []byte) []byte {
	switch p.style {
	case StyleJSON:
		return append(b, jsonOpen...)
	case StyleCSV:
		if p.files {
			b = append(b, "file,"...)
		}
		return append(b, packetColumns...)
	}
	return b
}

// AppendFooter appends what follows the last packet.
func (p *PacketPrinter) AppendFooter(b []byte) []byte {
	if p.style != StyleJSON {
		return b
	}
	if p.n == 0 {
		return append(b[:len(b)-len(jsonOpen)], jsonEmpty...)
	}
	return append(b, jsonClose...)
}

// Append appends a packet.
func (p *PacketPrinter) Append(b []byte, k *Packet) []byte {
	first := p.n == 0
	p.n++
	switch p.style {
	case StyleJSON:
		if !first {
			b = append(b, ",\n"...)
		}
		return jsonPacket(b, k)
	case StyleJSONL:
		return append(jsonPacket(b, k), '\n')
	case StyleCSV:
		return p.csvPacket(b, k)
	}
	return linePacket(b, k)
}

func jsonPacket(b []byte, k *Packet) []byte {
	start := len(b)
	b = jsonNumber(b, `{"packet":`, uint64(k.Number))
	if k.File != "" {
		b = jsonName(b, `"file":`, k.File)
	}
	b = jsonTime(b, `"time":`, nanos(k.Time))
	if k.Interface != "" {
		b = jsonName(b, `"interface":`, k.Interface)
	}
	b = jsonWord(b, `"verdict":`, k.Verdict)
	if k.Direction != "" {
		b = jsonWord(b, `"direction":`, k.Direction)
	}
	if len(k.Reason) > 0 {
		b = jsonName(b, `"reason":`, k.Reason)
		b = jsonWord(b, `"reason_name":`, k.Name)
	}
	if len(k.Kernel) > 0 {
		b = jsonName(b, `"kernel":`, k.Kernel)
	}
	if k.Leaves != "" {
		b = jsonWord(b, `"leaves":`, k.Leaves)
	}
	if k.Left != nil {
		b = jsonSide(b, `"leaves_as":{`, k.Left)
	}
	if k.Dropped != "" {
		b = jsonWord(b, `"dropped_by":`, k.Dropped)
	}
	if k.Before != 0 || k.After != 0 {
		b = append(b, `"state":{`...)
		open := len(b) - 1
		if k.Before != 0 {
			b = jsonWord(b, `"before":`, k.Before.String())
		}
		if k.After != 0 {
			b = jsonWord(b, `"after":`, k.After.String())
		}
		b = append(closeJSON(b, open, '}'), ',')
	}
	if k.Entry {
		b = jsonNumber(b, `"timeout":`, uint64(k.Timeout))
	}
	if t := k.Tuple; t.Has != 0 {
		b = append(b, `"tuple":{`...)
		open := len(b) - 1
		if f := t.Family(); f != ctnetlink.FamilyAny {
			b = jsonWord(b, `"family":`, familyWord(f))
		}
		b = jsonTuple(jsonProto(b, t), t)
		b = append(closeJSON(b, open, '}'), ',')
	}
	return closeJSON(b, start, '}')
}

func (p *PacketPrinter) csvPacket(b []byte, k *Packet) []byte {
	word := func(s string) { b = append(append(b, s...), ',') }
	number := func(n uint64, has bool) {
		if has {
			b = appendUint(b, n)
		}
		b = append(b, ',')
	}
	name := func(s string) { b = append(appendCSVName(b, s), ',') }
	if p.files {
		name(k.File)
	}
	number(uint64(k.Number), true)
	b = append(appendTime(b, nanos(k.Time)), ',')
	name(k.Interface)
	word(k.Verdict)
	word(k.Direction)
	name(string(k.Reason))
	word(k.Name)
	name(string(k.Kernel))
	word(k.Leaves)
	word(k.Dropped)
	for _, s := range []ctnetlink.State{k.Before, k.After} {
		if s != 0 {
			b = append(b, s.String()...)
		}
		b = append(b, ',')
	}
	number(uint64(k.Timeout), k.Entry)
	t := k.Tuple
	if f := t.Family(); f != ctnetlink.FamilyAny {
		b = append(b, familyWord(f)...)
	}
	b = append(b, ',')
	if t.Has&ctnetlink.FieldProto != 0 {
		b = append(b, protoWord(t.Proto)...)
	}
	b = append(b, ',')
	number(uint64(t.Proto), t.Has&ctnetlink.FieldProto != 0)
	if t.Has&ctnetlink.FieldSrc != 0 {
		b = appendAddr(b, t.Src, 0)
	}
	b = append(b, ',')
	if t.Has&ctnetlink.FieldDst != 0 {
		b = appendAddr(b, t.Dst, 0)
	}
	b = append(b, ',')
	gre := t.Proto == ctnetlink.ProtoGRE
	ports := t.Has & ctnetlink.FieldPorts
	number(uint64(t.SrcPort), ports != 0 && !gre)
	number(uint64(t.DstPort), ports != 0 && !gre)
	icmp := t.Has&ctnetlink.FieldICMP != 0
	number(uint64(t.ICMPType), icmp)
	number(uint64(t.ICMPCode), icmp)
	number(uint64(t.ICMPID), icmp)
	number(uint64(t.SrcPort), ports != 0 && gre)
	number(uint64(t.DstPort), ports != 0 && gre)
	left := k.Left
	if left == nil {
		left = &ctnetlink.Tuple{}
	}
	for _, a := range []netip.Addr{left.Src, left.Dst} {
		if a.IsValid() {
			b = appendAddr(b, a, 0)
		}
		b = append(b, ',')
	}
	number(uint64(left.SrcPort), left.Has&ctnetlink.FieldPorts != 0)
	number(uint64(left.DstPort), left.Has&ctnetlink.FieldPorts != 0)
	if left.Has&ctnetlink.FieldICMPID != 0 {
		b = appendUint(b, uint64(left.ICMPID))
	}
	return append(b, '\n') // the last value may be empty
}

// linePacket appends a packet as a line: number, time, verdict, direction, protocol,
// addresses, state, timeout, and what is unusual.
func linePacket(b []byte, k *Packet) []byte {
	if k.File != "" {
		b = append(printable.Append(b, k.File), ' ')
	}
	for limit := 100_000; limit > max(k.Number, 1); limit /= 10 {
		b = append(b, ' ')
	}
	b = append(appendUint(b, uint64(k.Number)), ' ')
	b = k.Time.Local().AppendFormat(b, "2006-01-02 15:04:05.000000")
	b = appendPadded(append(b, ' '), k.Verdict, 12)
	b = appendPadded(b, k.Direction, 9)
	if k.Own.Has != 0 {
		b = appendOwn(b, k.Own, true)
	}
	switch {
	case k.Before != 0 && k.Before != k.After:
		b = append(append(b, ' '), k.Before.String()...)
		b = append(append(b, " → "...), k.After.String()...)
	case k.After != 0:
		b = append(append(b, ' '), k.After.String()...)
	}
	if k.Entry {
		b = append(appendUint(append(b, ' '), uint64(k.Timeout)), 's')
	}
	if k.Leaves != "" && k.Leaves != "forwarded" && k.Leaves != "delivered" {
		b = append(append(b, ' '), k.Leaves...)
	}
	if k.Left != nil {
		b = appendOwn(append(b, " to "...), k.Left, false)
	}
	if k.Dropped != "" && k.Dropped != k.Name {
		b = append(append(b, " by "...), k.Dropped...)
	}
	if len(k.Reason) > 0 {
		if k.Own.Has != 0 {
			b = append(b, ": "...)
		}
		b = printable.Append(b, k.Reason)
	}
	return append(b, '\n')
}

// appendPadded appends a word of ASCII and blanks up to a width.
func appendPadded(b []byte, word string, width int) []byte {
	b = append(b, word...)
	for n := len(word); n < width; n++ {
		b = append(b, ' ')
	}
	return b
}

// appendOwn appends the addresses of a packet, with its protocol in front or not.
func appendOwn(b []byte, t *ctnetlink.Tuple, proto bool) []byte {
	if proto && t.Has&ctnetlink.FieldProto != 0 {
		if name := t.Proto.Name(); name != "" {
			b = append(b, name...)
		} else {
			b = appendUint(append(b, "protocol "...), uint64(t.Proto))
		}
		b = append(b, ' ')
	}
	ports := t.Has&ctnetlink.FieldPorts != 0 && t.Proto != ctnetlink.ProtoGRE
	b = appendAddrPort(b, t.Src, uint64(t.SrcPort), ports)
	b = append(b, " > "...)
	b = appendAddrPort(b, t.Dst, uint64(t.DstPort), ports)
	if t.Has&ctnetlink.FieldICMP != 0 {
		b = appendUint(append(b, " type "...), uint64(t.ICMPType))
		b = appendUint(append(b, " code "...), uint64(t.ICMPCode))
		if t.Has&ctnetlink.FieldICMPID != 0 {
			b = appendUint(append(b, " id "...), uint64(t.ICMPID))
		}
	}
	return b
}
