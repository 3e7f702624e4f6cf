package live

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/wire"
	"github.com/gonntrack/gonntrack/stats"
)

// reader reads the value of a key from entries, in one of several ways.
type reader struct {
	key cmdline.Key
	// number, addr and word read from the record; word returns the value in the form
	// of package stats. nil: it is not read in this way. They are not for entries that
	// are odd, unless rate is set.
	number func(*entry) (uint64, bool)
	addr   func(*entry) (netip.Addr, bool)
	word   func(*question, *entry) []byte
	rate   bool
	// missing reports that an entry has no value.
	missing func(*entry) bool
	// head returns the first bytes of the value, see headOf, where they are read faster
	// than the value is; nil: they are not.
	head func(*question, *entry) uint64
	// values reads from a message.
	values *cmdline.KeyValues
}

// notKept returns an error for a field that is not known of all entries.
func notKept(d *format.Field) error {
	switch {
	case d.IsProcess():
		return fmt.Errorf("%s is not known here: it is found for the entries that are shown only", d.Name)
	case strings.HasPrefix(d.Name, "master"), strings.HasSuffix(d.Name, "_vtag"):
		return fmt.Errorf("%s is not known here: it is not kept of entries that are followed", d.Name)
	}
	return nil
}

// reader returns what reads the values of a key.
func (q *question) reader(k *cmdline.Key) (reader, error) {
	name := k.Field.Name
	if err := notKept(k.Field); err != nil {
		return reader{}, err
	}
	r := reader{key: *k, values: cmdline.NewKeyValues([]cmdline.Key{*k}, q.t.options.LabelNames, &q.context)}
	if r.number = rateReaders[name]; r.number != nil {
		r.rate = true
		return r, nil
	}
	r.number, r.addr, r.word, r.missing = numberReaders[name], addrReaders[name], wordReaders[name], missingReaders[name]
	switch {
	case r.word != nil:
		r.head = func(q *question, e *entry) uint64 { head, _ := headOf(r.word(q, e)); return head }
	case r.addr != nil && !strings.HasPrefix(name, "nat"):
		r.head = addrHead(name, k)
	}
	return r, nil
}

// addrHead returns the function head for an address.
func addrHead(name string, k *cmdline.Key) func(*question, *entry) uint64 {
	reply, dst := strings.HasPrefix(name, "reply"), strings.HasSuffix(name, "dst")
	// The first byte is the kind of the value; a network's length follows its address.
	four, _ := headOf(k.AppendAddr(nil, netip.IPv4Unspecified(), true))
	six, _ := headOf(k.AppendAddr(nil, netip.IPv6Unspecified(), true))
	mask4, mask6 := uint64(math.MaxUint32), uint64(math.MaxUint64)
	if k.Network {
		mask4, mask6 = mask4<<(32-k.Bits[0]), mask6<<max(64-k.Bits[1], 0)
	}
	return func(_ *question, e *entry) uint64 {
		w := e.end(reply, dst)
		if e.ipv6() {
			return six | w[0]&mask6>>8
		}
		return four | w[1]&mask4<<24
	}
}

// slow reports whether the value is read from a message.
func (r *reader) slow() bool { return r.number == nil && r.addr == nil && r.word == nil }

// append appends the value of the entry that is looked at, in the form of package
// stats.
func (r *reader) append(b []byte, q *question, e *entry) []byte {
	switch {
	case r.rate:
		v, ok := r.number(e)
		return appendNumber(b, v, ok)
	case q.odd:
	case r.number != nil:
		v, ok := r.number(e)
		return appendNumber(b, v, ok)
	case r.addr != nil:
		a, ok := r.addr(e)
		return r.key.AppendAddr(b, a, ok)
	case r.word != nil:
		return append(b, r.word(q, e)...)
	case r.missing != nil && r.missing(e):
		return stats.AppendAbsent(b)
	}
	return r.values.Append(b, 0, q.whole(e))
}

// read returns the value of a number, as number does, of any entry.
func (r *reader) read(q *question, e *entry) (uint64, bool) {
	if q.odd && !r.rate {
		return r.key.Field.Number(q.whole(e), &q.context)
	}
	return r.number(e)
}

func appendNumber(b []byte, v uint64, ok bool) []byte {
	if !ok {
		return stats.AppendAbsent(b)
	}
	return stats.AppendNumber(b, v)
}

// odd reports whether the record has not all that can be read from it: no kernel sends
// such entries, but a table file may have them. What few entries have begins with what
// is odd.
func (e *entry) odd() bool {
	r := e.core()
	if r.has&noReply != 0 {
		return true
	}
	if r.extra == 0 {
		return false
	}
	switch firstAttr(e.p.source.t.extras.attrs(r.extra)) {
	case ctnetlink.AttrTupleOrig, ctnetlink.AttrTupleReply, ctnetlink.AttrZone, ctnetlink.AttrStatus,
		ctnetlink.AttrProtoInfo:
		return true
	}
	return false
}

// The methods below are for entries that are not odd.

// plain reports whether an entry has no translation.
func (e *entry) plain() bool { return e.p.kind&kindReply == 0 }

// common reports whether the entry has nothing that few entries have.
func (e *entry) common() bool { return e.core().extra == 0 }

func (e *entry) addr(w [2]uint64) netip.Addr { return fromWords(w, e.ipv6()) }

// showsPorts reports whether the tuples have ports that are shown as such, not keys.
func (e *entry) showsPorts() bool { return e.hasPorts() && e.proto() != ctnetlink.ProtoGRE }

// translated is how an entry is translated, see [ctnetlink.Flow.SourceNAT].
type translated struct {
	orig, reply     tuple
	source          bool // the source is: its address, its port or both
	sourceAddr      bool
	sourcePort      bool // or the id of a query
	destination     bool
	destinationAddr bool
	destinationPort bool
}

// translated returns how the entry is translated.
func (e *entry) translated() (n translated) {
	if e.plain() {
		return n
	}
	n.orig, n.reply = e.orig(), e.reply()
	r := e.core()
	o, v := n.orig.ports, n.reply.ports
	switch {
	case r.has&ports != 0:
		n.sourcePort, n.destinationPort = o>>16 != v&0xffff, o&0xffff != v>>16
	case r.has&icmp != 0:
		n.sourcePort = o>>16 != v>>16
	}
	n.sourceAddr, n.destinationAddr = n.orig.src != n.reply.dst, n.orig.dst != n.reply.src
	status, _ := e.status()
	n.source = status&ctnetlink.StatusSrcNATDone != 0 && (n.sourceAddr || n.sourcePort)
	n.destination = status&ctnetlink.StatusDstNATDone != 0 && (n.destinationAddr || n.destinationPort)
	return n
}

// newPorts returns the ports that source and destination were translated to; of a query
// the first is its id.
func (e *entry) newPorts(n *translated) (source, destination uint64) {
	if !e.hasPorts() {
		return uint64(n.reply.ports >> 16), 0
	}
	return uint64(n.reply.ports & 0xffff), uint64(n.reply.ports >> 16)
}

// Rates are ordered as their bits are, since none is negative.

// rateBits returns a number whose order is that of rates.
func rateBits(v float64) uint64 {
	if !(v > 0) {
		return 0
	}
	return math.Float64bits(v)
}

func rateReader(first, second int) func(*entry) (uint64, bool) {
	return func(e *entry) (uint64, bool) {
		n := &e.core().rates
		v := float64(n[first])
		if second != first {
			v += float64(n[second])
		}
		return rateBits(v), n[0] >= 0
	}
}

var rateReaders = map[string]func(*entry) (uint64, bool){
	"packet_rate": rateReader(0, 2), "orig_packet_rate": rateReader(0, 0), "reply_packet_rate": rateReader(2, 2),
	"byte_rate": rateReader(1, 3), "orig_byte_rate": rateReader(1, 1), "reply_byte_rate": rateReader(3, 3),
}

func counterReader(first, second int) func(*entry) (uint64, bool) {
	return func(e *entry) (uint64, bool) {
		r := e.core()
		v := r.counters[first].value()
		if second != first {
			v += r.counters[second].value()
		}
		return v, r.has&hasCounters != 0
	}
}

// portReader reads a part of the tuple of a direction. gre reports whether the
// protocol is GRE, where keys are in place of the ports.
func portReader(reply bool, layout flags, gre bool, shift uint, mask uint32) func(*entry) (uint64, bool) {
	return func(e *entry) (uint64, bool) {
		r := e.core()
		if r.has&layout == 0 || layout == ports && (r.proto == ctnetlink.ProtoGRE) != gre {
			return 0, false
		}
		t := e.orig()
		if reply {
			t = e.reply()
		}
		return uint64(t.ports >> shift & mask), true
	}
}

var numberReaders = map[string]func(*entry) (uint64, bool){
	"packets": counterReader(0, 2), "orig_packets": counterReader(0, 0), "reply_packets": counterReader(2, 2),
	"bytes": counterReader(1, 3), "orig_bytes": counterReader(1, 1), "reply_bytes": counterReader(3, 3),

	"sport": portReader(false, ports, false, 16, 0xffff), "reply_sport": portReader(true, ports, false, 16, 0xffff),
	"dport": portReader(false, ports, false, 0, 0xffff), "reply_dport": portReader(true, ports, false, 0, 0xffff),
	"srckey": portReader(false, ports, true, 16, 0xffff), "reply_srckey": portReader(true, ports, true, 16, 0xffff),
	"dstkey": portReader(false, ports, true, 0, 0xffff), "reply_dstkey": portReader(true, ports, true, 0, 0xffff),
	"icmp_id": portReader(false, icmp, false, 16, 0xffff), "reply_icmp_id": portReader(true, icmp, false, 16, 0xffff),
	"type": portReader(false, icmp, false, 8, 0xff), "reply_type": portReader(true, icmp, false, 8, 0xff),
	"code": portReader(false, icmp, false, 0, 0xff), "reply_code": portReader(true, icmp, false, 0, 0xff),

	"protonum":   func(e *entry) (uint64, bool) { return uint64(e.proto()), true },
	"mark":       func(e *entry) (uint64, bool) { v, ok := e.mark(); return uint64(v), ok },
	"id":         func(e *entry) (uint64, bool) { v, ok := e.id(); return uint64(v), ok },
	"timeout":    func(e *entry) (uint64, bool) { v, ok := e.timeout(); return uint64(v), ok },
	"age":        func(e *entry) (uint64, bool) { v, ok := e.age(); return uint64(v), ok },
	"start":      func(e *entry) (uint64, bool) { v, ok := e.start(); return uint64(v) * 1e9, ok },
	"zone":       func(e *entry) (uint64, bool) { v, o, r := e.zone(); return uint64(v), o && r },
	"orig_zone":  func(e *entry) (uint64, bool) { v, o, r := e.zone(); return uint64(v), o && !r },
	"reply_zone": func(e *entry) (uint64, bool) { v, o, r := e.zone(); return uint64(v), r && !o },
	"nat_sport": func(e *entry) (uint64, bool) {
		n := e.translated()
		v, _ := e.newPorts(&n)
		return v, n.source && n.sourcePort
	},
	"nat_dport": func(e *entry) (uint64, bool) {
		n := e.translated()
		_, v := e.newPorts(&n)
		return v, n.destination && n.destinationPort
	},
}

var addrReaders = map[string]func(*entry) (netip.Addr, bool){
	"src":       func(e *entry) (netip.Addr, bool) { return e.addr(e.orig().src), true },
	"dst":       func(e *entry) (netip.Addr, bool) { return e.addr(e.orig().dst), true },
	"reply_src": func(e *entry) (netip.Addr, bool) { return e.addr(e.reply().src), true },
	"reply_dst": func(e *entry) (netip.Addr, bool) { return e.addr(e.reply().dst), true },
	"nat_src": func(e *entry) (netip.Addr, bool) {
		n := e.translated()
		return e.addr(n.reply.dst), n.source && n.sourceAddr
	},
	"nat_dst": func(e *entry) (netip.Addr, bool) {
		n := e.translated()
		return e.addr(n.reply.src), n.destination && n.destinationAddr
	},
}

// missingReaders are for what is read from a message, but for few entries.
var missingReaders = map[string]func(*entry) bool{
	"helper": (*entry).common, "labels": (*entry).common, "secmark": (*entry).common, "secctx": (*entry).common,
}

// ratesNow returns the rates of the entry.
func (e *entry) ratesNow() Rates {
	n, ok := e.rates()
	return ratesOf([4]float64{float64(n[0]), float64(n[1]), float64(n[2]), float64(n[3])}, ok)
}

// ratesOf returns rates in the order of counters, or that they are not known.
func ratesOf(n [4]float64, known bool) Rates {
	if !known {
		return Rates{}
	}
	return Rates{Known: true, OrigPackets: n[0], OrigBytes: n[1], ReplyPackets: n[2], ReplyBytes: n[3]}
}

// firstAttr returns the type of the first of some attributes.
func firstAttr(attrs string) ctnetlink.Attr {
	if len(attrs) < 4 {
		return 0
	}
	return ctnetlink.Attr(binary.NativeEndian.Uint16([]byte(attrs[2:4])) & wire.AttrTypeMask)
}
