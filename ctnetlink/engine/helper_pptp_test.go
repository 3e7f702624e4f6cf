package engine_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// pptpMessages are control messages: the type, the length of the body, who sends
// it (0 the client), and how many call ids it begins with.
var pptpMessages = map[string]struct{ typ, size, from, ids int }{
	"start": {1, 144, 0, 0}, "started": {2, 144, 1, 0}, "stop": {3, 4, 0, 0}, "stopped": {4, 4, 1, 0},
	"call": {7, 156, 0, 1}, "answer": {8, 20, 1, 2}, "ring": {9, 208, 1, 1}, "accept": {10, 12, 0, 2},
	"connected": {11, 16, 1, 1}, "clear": {12, 4, 0, 1}, "disconnect": {13, 136, 1, 1}, "wan": {14, 28, 1, 1},
}

// pptpMessage returns the message that words such as "answer", "2", "1" describe.
// A word such as "/3" is its result, which is 1 otherwise, and a word such as
// "cut" leaves out its last byte.
func pptpMessage(words []string) (from int, data []byte) {
	m := pptpMessages[words[0]]
	b := make([]byte, 12+m.size)
	be := binary.BigEndian
	be.PutUint16(b, uint16(len(b)))
	be.PutUint16(b[2:], 1)
	be.PutUint32(b[4:], 0x1a2b3c4d)
	be.PutUint16(b[8:], uint16(m.typ))
	result := 12 + 2*m.ids
	if m.typ == 2 {
		result = 12 + 2
	}
	if m.typ <= 4 || m.ids == 2 {
		b[result] = 1
	}
	ids := 12
	for _, w := range words[1:] {
		var n uint16
		if w == "cut" {
			b = b[:len(b)-1]
			continue
		}
		if _, err := fmt.Sscanf(w, "/%d", &n); err == nil {
			b[result] = byte(n)
			continue
		}
		fmt.Sscan(w, &n)
		be.PutUint16(b[ids:], n)
		ids += 2
	}
	return m.from, b
}

// TestPPTP: what Linux 6.18 expects after messages, and makes of packets of GRE:
// events as "+1>2" for an expectation that is made, "-1>2" for one that goes,
// "new 1>2" and "gone 1>2" for entries, with the call ids of the packets.
func TestPPTP(t *testing.T) {
	const call = "start, started, call 1, answer 2 1: +1>2 +2>1, "
	for i, tt := range []string{
		call + "gre 2: -1>2 -2>1 new 1>2, ger 1:",
		call + "ger 1: -2>1 -1>2 new 2>1, gre 2:",
		"call 1, answer 2 1:",
		"start, call 1, answer 2 1:",
		"started, call 1, answer 2 1:",
		"start, started /2, started, call 1, answer 2 1:",
		"start, started, start, call 1, answer 2 1: +1>2 +2>1",
		"start, started, call 1, answer 2 3:, answer 2 1: +1>2 +2>1",
		"start, started, call 1, answer 2 1 /2, answer 2 1:",
		"start, started, call 1, answer 2 1 cut:, answer 2 1: +1>2 +2>1",
		"start, started, call 1, call 5, answer 2 1:, answer 2 5: +5>2 +2>5",
		"start, started, answer 2 0:",
		call + "answer 2 1: -1>2 +1>2 -2>1 +2>1",
		call + "call 3, answer 4 3: -1>2 +3>4 -2>1 +4>3 -4>3 -3>4, gre 2: new 1>2, ger 1:, gre 4: new 0>4",
		call + "call 3, answer 2 3: -1>2 +3>2 -2>1 +2>3 -2>3 -3>2, gre 2: new 0>2",
		call + "gre 2: -1>2 -2>1 new 1>2, disconnect 9: gone 1>2, gre 2: new 0>2, call 3, answer 4 3: +3>4 +4>3",
		call + "disconnect 2: -1>2 -2>1",
		call + "disconnect 2 cut:, gre 2: -1>2 -2>1 new 1>2",
		call + "clear 1:, answer 2 1:",
		"start, started, stop, call 1, answer 2 1:",
		"start, started, stop, stopped, start, started, call 1, answer 2 1: +1>2 +2>1",
		"start, started, stop, stopped /2, start, started, call 1, answer 2 1:",
		"start, started, stopped, call 1, answer 2 1: +1>2 +2>1",
		"start, started, ring 5, accept 6 5:, connected 6: +6>5 +5>6, gre 5: -6>5 -5>6 new 6>5",
		"start, started, ring 5, accept 6 7, connected 6:",
		"start, started, ring 5, accept 6 5 /2, accept 6 5, connected 6:",
		"start, started, ring 5, accept 6 5, connected 9:, connected 6: +6>5 +5>6",
		"start, started, ring 5, connected 0:",
		"start, started, ring 5, accept 6 5, disconnect 5, connected 6:",
		"start, started, ring 5, accept 6 5, started /2, connected 6:",
		"start, started, ring 5, stop, accept 6 5, stopped, start, started, connected 6: +6>5 +5>6",
	} {
		l := newHelperLab(t, engine.Options{Rules: helperRules{}})
		x := l.control(false, 1723, uint16(1024+i))
		for step := range strings.SplitSeq(tt, ", ") {
			step, want, _ := strings.Cut(step, ":")
			words := strings.Fields(step)
			var events []string
			switch words[0] {
			case "gre", "ger":
				from := strings.Index("gre ger", words[0]) / 4
				var id uint16
				fmt.Sscan(words[1], &id)
				p := packets.GRE{Src: x.ends[from].Addr(), Dst: x.ends[1-from].Addr(), Version: 1, CallID: id}
				_, events = l.send(p.Bytes(), "ab"[from:from+1])
			default:
				from, data := pptpMessage(words)
				_, events = x.say(from, packets.ACK|packets.PSH, string(data))
			}
			if got := pptpEvents(events); got != strings.TrimSpace(want) {
				t.Errorf("%s: after %q: %q", tt, step, got)
				break
			}
		}
	}
}

// pptpEvents shortens the events about GRE.
func pptpEvents(events []string) string {
	var all []string
	for _, e := range events {
		f := strings.Fields(e)
		if f[1] != "47" {
			continue
		}
		switch f[0] {
		case "EXP_NEW":
			all = append(all, "+"+f[3])
		case "EXP_DESTROY":
			all = append(all, "-"+f[3])
		case "NEW":
			all = append(all, "new "+f[3])
		case "DESTROY":
			all = append(all, "gone "+f[3])
		}
	}
	return strings.Join(all, " ")
}

// TestPPTPTranslated: the same with the client's address translated, and its port,
// 1032, kept. The port is the call id that the server sees. A number in
// brackets is the first call id of the message, in an answer the second, or that of
// GRE, as it leaves.
func TestPPTPTranslated(t *testing.T) {
	const call = "start, started, call 1: [1032], answer 2 1032: [1] +1>2 +2>1032, "
	for _, tt := range []string{
		call + "gre 2: [2] -1>2 -2>1032 new 1>2, ger 1032: [1], wan 1032: [1], clear 1: [1032], disconnect 2: [1] gone 1>2",
		call + "ger 1032: [1] -2>1032 new 2>1032, gre 2: [2]", // the other expectation stays
		call + "disconnect 2: [1] -2>1032, gre 2: [2] new 0>2",
		"call 9: [9], start, started, call 1: [1032], call 5: [1032], answer 2 1032: [5] +5>2 +2>1032",
		"start, started, call 1: [1032], answer 2 1: [1]",
		"start, started, ring 5: [5], accept 6 5: [6], connected 6: [0] +0>5 +5>6, gre 5: [5] -0>5 -5>6 new 0>5, ger 6: [0]",
	} {
		l := newHelperLab(t, engine.Options{Rules: helperRules{nat: true}})
		ends := [2]netip.AddrPort{packets.Port("10.0.0.2:1032"), packets.Port("192.0.2.2:1723")}
		to := [2]netip.AddrPort{ends[1], packets.Port("192.0.2.1:1032")}
		next := [2]uint32{1000, 5000}
		say := func(from int, flags uint8, data []byte) (*engine.Verdict, []string) {
			p := packets.TCP{Src: ends[from], Dst: to[from], Flags: flags, Seq: next[from], Ack: next[1-from], Data: data}
			next[from] += uint32(len(data)) + uint32(flags>>1&1)
			return l.send(p.Bytes(), "ab"[from:from+1])
		}
		say(0, packets.SYN, nil)
		say(1, packets.SYN|packets.ACK, nil)
		say(0, packets.ACK, nil)
		for step := range strings.SplitSeq(tt, ", ") {
			step, want, _ := strings.Cut(step, ":")
			words := strings.Fields(step)
			var v *engine.Verdict
			var events []string
			at := 40 + 12
			switch words[0] {
			case "gre", "ger":
				from := strings.Index("gre ger", words[0]) / 4
				var id uint16
				fmt.Sscan(words[1], &id)
				p := packets.GRE{Src: ends[from].Addr(), Dst: to[from].Addr(), Version: 1, CallID: id}
				v, events = l.send(p.Bytes(), "ab"[from:from+1])
				at = 20 + 6
			default:
				from, data := pptpMessage(words)
				v, events = say(from, packets.ACK|packets.PSH, data)
				if words[0] == "answer" {
					at += 2 // the client's
				}
			}
			if len(v.Leaves) != 1 {
				t.Fatalf("%s: after %q: %d packets leave", tt, step, len(v.Leaves))
			}
			got := pptpEvents(events)
			if words[0] != "start" && words[0] != "started" {
				got = strings.TrimSpace(fmt.Sprintf("[%d] %s", binary.BigEndian.Uint16(v.Leaves[0][at:]), got))
			}
			if got != strings.TrimSpace(want) {
				t.Errorf("%s: after %q: %q", tt, step, got)
				break
			}
		}
	}
}
