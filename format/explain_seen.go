package format

import (
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// This file has what the packets did to an entry, as far as its attributes tell.
// Each statement was compared with entries that real packets made on Linux 6.18.

// The two ends of a connection, by direction.
var sideNames = [2]string{"the opener", "the other side"}

// Flags of window tracking that requests cannot set (nf_conntrack_tcp.h).
const (
	tcpUnacknowledged = 0x10 // IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED
	tcpMaxAck         = 0x20 // IP_CT_TCP_FLAG_MAXACK_SET
)

// States of TCP by number (enum tcp_conntrack).
const (
	tcpSynSent = 1 + iota
	tcpSynRecv
	tcpEstablished
	tcpFinWait
	tcpCloseWait
	tcpLastAck
	tcpTimeWait
	tcpClose
	tcpSynSent2
)

// seen returns what the packets did to the entry.
func (t *explainer) seen() string {
	if !t.hasStatus || t.orig.Has&ctnetlink.FieldProto == 0 {
		return ""
	}
	var s phrases
	s.add(t.unanswered())
	switch t.orig.Proto {
	case ctnetlink.ProtoTCP:
		t.seenTCP(&s)
	case ctnetlink.ProtoSCTP:
		s.add(t.seenTags())
	case ctnetlink.ProtoUDP, ctnetlink.ProtoUDPLite:
		s.add(t.seenStream("a packet more than 2 seconds after its first one"))
	case ctnetlink.ProtoGRE:
		s.add(t.seenStream("a packet after the first reply"))
	}
	t.adjusted(&s)
	return s.String()
}

// has reports whether the entry has a status flag.
func (t *explainer) has(flag ctnetlink.Status) bool { return t.status&flag != 0 }

// unanswered returns what has had no reply, and for how long.
func (t *explainer) unanswered() string {
	if t.has(ctnetlink.StatusSeenReply) {
		return ""
	}
	what := "nothing has come back"
	if n, _, ok := t.f.CountersOrig(); ok && n > 0 {
		what = plural(n, "packet") + " of the opener counted, and nothing has come back"
	}
	if _, ok := t.f.Start(); ok {
		now := Context{Now: t.e.Now}
		if old, _ := age(t.f, &now); old > 0 {
			what += " in " + durationInWords(old)
		}
	}
	if v, ok := t.f.State(); ok && t.orig.Proto == ctnetlink.ProtoTCP && v.Number() == tcpSynSent {
		what += "; a SYN that is repeated does not count, and leaves the timeout alone"
	}
	return what
}

// seenTCP adds what the flags of both sides tell of a TCP connection.
func (t *explainer) seenTCP(s *phrases) {
	info, ok := t.f.ProtoInfo()
	const both = ctnetlink.InfoFlagsOrig | ctnetlink.InfoFlagsReply
	if !ok || info.Proto != ctnetlink.ProtoTCP || info.Has&both != both || info.Has&ctnetlink.InfoState == 0 {
		return
	}
	flags := [2]ctnetlink.TCPFlags{info.Flags[0].Value, info.Flags[1].Value}
	state := info.State.Number()
	all, any := flags[0]&flags[1], flags[0]|flags[1]
	const picked = ctnetlink.TCPBeLiberal | ctnetlink.TCPSackPerm
	middle := all&picked == picked
	switch {
	case middle && state <= tcpSynSent: // a connection that is picked up is ESTABLISHED
		s.add("a request made it: any sequence numbers pass until a SYN/ACK")
	case middle:
		s.add("its beginning was not seen: it was picked up in the middle, or made by a request; " +
			"any sequence numbers pass until a SYN/ACK")
	case any&ctnetlink.TCPBeLiberal == 0 && state != tcpSynSent2:
		t.options(s, &info, flags, state)
	}
	t.assuredTCP(s, state, middle)
	if state >= tcpEstablished && state <= tcpClose {
		switch {
		case any&tcpMaxAck == 0:
			s.add("no ACK of either side was recorded")
		case all&tcpMaxAck == 0:
			s.add("no ACK of " + sideNames[sideWith(flags, tcpMaxAck)^1] + " was recorded")
		}
	}
	closed := any&ctnetlink.TCPCloseInit != 0
	if closed && all&ctnetlink.TCPCloseInit == 0 { // a request sets both
		first := sideNames[sideWith(flags, ctnetlink.TCPCloseInit)] + " closed first, with a FIN"
		if state == tcpClose {
			first += ", and a RST followed"
		}
		s.add(first)
	}
	for i, name := range sideNames {
		if flags[i]&tcpUnacknowledged != 0 {
			s.add(name + " has sent more than " + sideNames[i^1] + " has acknowledged")
		}
	}
}

// sideWith returns the direction whose flags have one that the other lacks.
func sideWith(flags [2]ctnetlink.TCPFlags, flag ctnetlink.TCPFlags) int {
	if flags[0]&flag != 0 {
		return 0
	}
	return 1
}

// options adds what the SYN and the SYN/ACK offered.
func (t *explainer) options(s *phrases, info *ctnetlink.ProtoInfo, flags [2]ctnetlink.TCPFlags, state uint8) {
	all, any := flags[0]&flags[1], flags[0]|flags[1]
	answered := state != tcpSynSent
	switch scale, only := info.WScale, sideWith(flags, ctnetlink.TCPWindowScale); {
	case all&ctnetlink.TCPWindowScale != 0:
		s.add(fmt.Sprintf("windows are scaled by 2^%d for %s, by 2^%d for %s", scale[0], sideNames[0], scale[1], sideNames[1]))
	case any&ctnetlink.TCPWindowScale != 0 && answered:
		s.add("only " + sideNames[only] + " offered window scaling: windows are not scaled")
	case any&ctnetlink.TCPWindowScale != 0:
		s.add(fmt.Sprintf("its SYN offers to scale windows by 2^%d", scale[only]))
	}
	switch {
	case all&ctnetlink.TCPSackPerm != 0:
		s.add("both sides permit SACK")
	case any&ctnetlink.TCPSackPerm != 0 && answered:
		s.add("only " + sideNames[sideWith(flags, ctnetlink.TCPSackPerm)] + " permits SACK")
	case any&ctnetlink.TCPSackPerm != 0:
		s.add("its SYN permits SACK")
	}
}

// assuredTCP adds which packet assured a TCP connection.
func (t *explainer) assuredTCP(s *phrases, state uint8, middle bool) {
	switch assured := t.has(ctnetlink.StatusAssured); {
	case assured && middle:
		s.add("it was assured by a packet after the first reply, or by a request")
	case assured:
		s.add("it was assured by the ACK that ended the handshake, or by a request")
	case middle && state == tcpEstablished && !t.has(ctnetlink.StatusSeenReply):
		s.add("it is assured by the packet after the first reply")
	case middle && state == tcpEstablished:
		s.add("it is assured by the next packet that counts")
	}
}

// seenStream returns what made a flow a stream, or would make it one.
func (t *explainer) seenStream(what string) string {
	switch {
	case t.has(ctnetlink.StatusAssured):
		return "it was assured by " + what + ", or by a request"
	case t.has(ctnetlink.StatusSeenReply) && !t.has(ctnetlink.StatusFixedTimeout):
		return fmt.Sprintf("%s assures it, with the longer timeout nf_conntrack_%s", what, t.proto.stream.setting)
	}
	return ""
}

// seenTags returns which verification tags of SCTP are known.
func (t *explainer) seenTags() string {
	info, _ := t.f.ProtoInfo()
	if info.Has&ctnetlink.InfoVTags == 0 || info.VTag[0] == 0 && info.VTag[1] == 0 {
		return ""
	}
	var known []string
	for i, tag := range info.VTag {
		if tag == 0 {
			known = append(known, "no tag is known yet for packets of "+sideNames[i])
		} else {
			known = append(known, fmt.Sprintf("packets of %s must have tag %d", sideNames[i], tag))
		}
	}
	return strings.Join(known, ", ")
}

// adjusted adds by how much a helper has changed the length of the data.
func (t *explainer) adjusted(s *phrases) {
	for i, name := range sideNames {
		adj, ok := t.f.SeqAdj(i == 1)
		switch n := int64(adj.After); {
		case !ok || n == 0:
		case n > 0:
			s.add(fmt.Sprintf("a helper has made the data of %s %s longer", name, plural(uint64(n), "byte")))
		default:
			s.add(fmt.Sprintf("a helper has made the data of %s %s shorter", name, plural(uint64(-n), "byte")))
		}
	}
}
