package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// outcome is what one side did with a packet.
type outcome struct {
	state     string // as the rule "ct state" calls it, or "none"
	reply     bool
	why       []string // the kernel's words
	delivered bool     // to this machine
	leaves    []netlab.Leaving
	events    []answer
	entry     []answer // answer to GET for the packet's entry
	expects   []answer // expectations, sorted
	stats     map[uint16]uint32
	detail    string // of the engine, for people: its own reason
}

// verdict describes the outcome in one line.
func (o *outcome) verdict() string {
	s := o.state
	if o.reply {
		s += " reply"
	}
	switch {
	case o.delivered:
		s += ", delivered"
	case len(o.leaves) == 0:
		s += ", does not leave"
	default:
		s += fmt.Sprintf(", leaves by %s", o.leaves[0].By)
	}
	if len(o.why) > 0 {
		s += fmt.Sprintf(", %q", o.why)
	}
	if o.detail != "" {
		s += " (" + o.detail + ")"
	}
	return s
}

// leeway of the comparison of one packet.
type slack struct {
	seconds uint32 // between timeouts
}

// outcomesDiffer returns the first difference; "" if there is none.
func outcomesDiffer(s slack, k, e *outcome) string {
	switch {
	case k.state != e.state:
		return fmt.Sprintf("verdict: %s, %s", k.state, e.state)
	case k.reply != e.reply:
		return fmt.Sprintf("reply direction: %t, %t", k.reply, e.reply)
	case !slices.Equal(k.why, e.why):
		return fmt.Sprintf("reason: %q, %q", k.why, e.why)
	case k.delivered != e.delivered:
		return fmt.Sprintf("delivered: %t, %t", k.delivered, e.delivered)
	case len(k.leaves) != len(e.leaves):
		return fmt.Sprintf("%d packets leave, %d", len(k.leaves), len(e.leaves))
	}
	for i, p := range k.leaves {
		q := e.leaves[i]
		if x, y := routed(p.Data), routed(q.Data); !bytes.Equal(x, y) {
			return fmt.Sprintf("packet %d leaves as\n   %s\n   %x,\n   %s\n   %x", i, packets.Describe(x), x,
				packets.Describe(y), y)
		}
	}
	l := leeway{seconds: s.seconds, chosen: true}
	if d := differences(l, "events", k.events, e.events); d != "" {
		return d
	}
	if d := differences(l, "entry", k.entry, e.entry); d != "" {
		return d
	}
	if d := differences(l, "expectations", k.expects, e.expects); d != "" {
		return d
	}
	if !maps.Equal(k.stats, e.stats) {
		return fmt.Sprintf("counters of -S: %s, %s", showStats(k.stats), showStats(e.stats))
	}
	return ""
}

// routed returns a packet without what a router changes: TTL, what IPv4 options
// record, and the sum. The engine does not change these. By which device a packet
// leaves is not compared.
func routed(p []byte) []byte {
	p = bytes.Clone(p)
	switch {
	case len(p) >= 20 && p[0]>>4 == 4 && int(p[0]&15)*4 <= len(p):
		p[8], p[10], p[11] = 64, 0, 0
		clear(p[20 : int(p[0]&15)*4])
		binary.BigEndian.PutUint16(p[10:], packets.Checksum(p[:int(p[0]&15)*4]))
	case len(p) >= 40 && p[0]>>4 == 6:
		p[7] = 64
		// The kernel draws the identification of fragments.
		if at := fragmentAt(p); at > 0 && len(p) >= at+8 && binary.BigEndian.Uint32(p[at+4:]) != 0 {
			clear(p[at+4 : at+8])
		}
	}
	return p
}

var statNames = map[uint16]string{2: "found", 4: "invalid", 8: "insert", 9: "insert_failed", 10: "drop",
	11: "early_drop", 12: "error", 14: "clash_resolve", 15: "chaintoolong"}

func showStats(s map[uint16]uint32) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		if s[k] != 0 {
			out = append(out, fmt.Sprintf("%s=%d", statNames[k], s[k]))
		}
	}
	return "{" + strings.Join(out, " ") + "}"
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// readOutcome sorts what a side's socket has received for a question about the
// packet's entry, the expectations and the counters.
func (o *outcome) read(msgs [][]byte, before map[uint16]uint32) {
	o.stats = map[uint16]uint32{}
	for _, m := range msgs {
		a := newAnswer(m)
		a.seq, a.pid = 0, 0
		switch {
		case a.typ == ctGetStatsCPU:
			o.stats = addUp(o.stats, a.body)
		case a.typ == nlmsgDone:
		case a.expects():
			o.expects = append(o.expects, a)
		case a.typ == nlmsgError && len(a.body) >= 4:
			a.body = a.body[:4]
			o.entry = append(o.entry, a)
		default:
			o.entry = append(o.entry, a)
		}
	}
	sortAnswers(o.expects)
	delete(o.stats, searchRestarts)
	for k, v := range before {
		if o.stats[k] -= v; o.stats[k] == 0 {
			delete(o.stats, k)
		}
	}
	for k, v := range o.stats {
		if v == 0 {
			delete(o.stats, k)
		}
	}
}

// readEvents turns event messages into answers.
func readEvents(msgs [][]byte) (out []answer) {
	for _, m := range msgs {
		a := newAnswer(m)
		if a.typ>>8 == 1 || a.typ>>8 == 2 {
			a.seq = 0
			out = append(out, a)
		}
	}
	return out
}

// message makes a request.
func message(typ, flags uint16, seq uint32, family uint8, attrs []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(20+len(attrs)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags|flagRequest)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, 0)
	return append(append(b, family, 0, 0, 0), attrs...)
}

// key identifies an entry: the attributes that a request for it has.
type key struct {
	family uint8
	attrs  string
}

// keyOf returns the key of the entry that a message is about.
func keyOf(a answer) key {
	b := appendAttr(nil, ctaTupleOrig|nested, find(a.body, ctaTupleOrig))
	if z := find(a.body, ctaZone); z != nil {
		b = appendAttr(b, ctaZone, z)
	}
	return key{a.family, string(b)}
}

func appendAttr(b []byte, typ uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, value...)
	return append(b, make([]byte, -len(value)&3)...)
}

// hostAddrs are the lab's addresses.
func hostAddrs() (out []hostAddr) {
	for _, s := range []netlab.Side{netlab.A, netlab.B} {
		for _, p := range netlab.Addrs[s] {
			out = append(out, hostAddr{s.String(), p})
		}
	}
	for _, p := range []string{"127.0.0.1/8", "::1/128"} {
		out = append(out, hostAddr{"lo", netip.MustParsePrefix(p)})
	}
	return out
}

type hostAddr struct {
	iface  string
	prefix netip.Prefix
}
