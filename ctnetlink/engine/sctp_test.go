package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	pk "github.com/gonntrack/gonntrack/internal/packets"
)

// Verification tags of the associations in the tests: what the client chooses,
// and so the server sends, and what the server chooses.
const (
	clientTag = 0x11111111
	serverTag = 0x22222222
)

var chunkTypes = map[string]uint8{
	"INIT": 1, "INIT_ACK": 2, "COOKIE_ECHO": 10, "COOKIE_ACK": 11, "SHUTDOWN": 7, "SHUTDOWN_ACK": 8,
	"SHUTDOWN_COMPLETE": 14, "ABORT": 6, "ERROR": 9, "HB": 4, "HB_ACK": 5, "DATA": 0, "SACK": 3,
}

// sctpPacket returns the packet that a string such as "o INIT" or
// "r tag=5 HB DATA" describes: the direction, the verification tag, if it is
// not the right one, and chunks. INIT=33 has the tag 33, ABORT/T the T bit; tags
// are hexadecimal.
func sctpPacket(s string) []byte {
	words := strings.Fields(s)
	p := pk.SCTP{Src: pk.Port("10.0.0.2:1000"), Dst: pk.Port("192.0.2.2:80"), Tag: serverTag}
	inside := uint32(clientTag)
	if words[0] == "r" {
		p.Src, p.Dst, p.Tag, inside = p.Dst, p.Src, clientTag, serverTag
	}
	tagGiven := false
	for _, word := range words[1:] {
		name, number, given := strings.Cut(word, "=")
		if name == "tag" {
			fmt.Sscanf(number, "%x", &p.Tag)
			tagGiven = true
			continue
		}
		name, bit, _ := strings.Cut(name, "/")
		c := pk.Chunk{Type: chunkTypes[name], Value: []byte{0, 0, 0, 1}}
		if name == "INIT" || name == "INIT_ACK" {
			tag := inside
			if given {
				fmt.Sscanf(number, "%x", &tag)
			}
			c = pk.InitChunk(c.Type, tag)
			if name == "INIT" && !tagGiven {
				p.Tag = 0
			}
		}
		if bit == "T" {
			c.Flags = 1
		}
		p.Chunks = append(p.Chunks, c)
	}
	return p.Bytes()
}

// sctpPaths are the ways to the states, with right tags.
var sctpPaths = map[string][]string{
	"none":              {},
	"CLOSED":            {"o INIT"},
	"COOKIE_WAIT":       {"o INIT", "r INIT_ACK"},
	"COOKIE_ECHOED":     {"o INIT", "r INIT_ACK", "o COOKIE_ECHO"},
	"ESTABLISHED":       {"o INIT", "r INIT_ACK", "o COOKIE_ECHO", "r COOKIE_ACK"},
	"SHUTDOWN_SENT":     {"o INIT", "r INIT_ACK", "o COOKIE_ECHO", "r COOKIE_ACK", "o SHUTDOWN"},
	"SHUTDOWN_RECD":     {"o INIT", "r INIT_ACK", "o COOKIE_ECHO", "r COOKIE_ACK", "r SHUTDOWN"},
	"SHUTDOWN_ACK_SENT": {"o INIT", "r INIT_ACK", "o COOKIE_ECHO", "r COOKIE_ACK", "o SHUTDOWN", "r SHUTDOWN_ACK"},
	"HEARTBEAT_SENT":    {"o HB"},
}

// TestSCTP has what Linux 6.18 makes of packets: the state of the association
// behind each, INVALID, or = for one that passes and changes nothing.
func TestSCTP(t *testing.T) {
	for _, c := range []struct {
		from    string
		packets string // each with its outcome: "o INIT: CLOSED, r INIT_ACK: COOKIE_WAIT"
		tags    string // what the original direction and the reply send at the end
	}{
		{"none", "o tag=5 INIT: INVALID", ""},
		{"none", "o INIT DATA: INVALID", ""},
		{"none", "o COOKIE_ACK: INVALID", ""},
		{"none", "o tag=0 ABORT: INVALID", ""},
		{"none", "o DATA: INVALID", ""},
		{"none", "o tag=0 ERROR: CLOSED", "0 0"},
		{"none", "o tag=7 SHUTDOWN_ACK HB: SHUTDOWN_ACK_SENT", "7 7"},
		{"none", "o tag=7 HB HB_ACK: HEARTBEAT_SENT", "7 0"},
		{"CLOSED", "o INIT=5: =, r tag=5 INIT_ACK: COOKIE_WAIT", "22222222 5"},
		{"CLOSED", "r tag=9 SHUTDOWN_ACK: CLOSED, r tag=9 ERROR: INVALID", "0 11111111"},

		// The T bit: the tag is the sender's own.
		{"ESTABLISHED", "o ABORT: CLOSED", ""},
		{"ESTABLISHED", "o tag=11111111 ABORT: INVALID", ""},
		{"ESTABLISHED", "o tag=11111111 ABORT/T: CLOSED", ""},
		{"ESTABLISHED", "o ABORT/T: INVALID", ""},
		{"SHUTDOWN_ACK_SENT", "r tag=22222222 SHUTDOWN_COMPLETE/T: CLOSED", ""},
		{"SHUTDOWN_ACK_SENT", "o tag=9 SHUTDOWN_COMPLETE: INVALID", ""},

		// Bundles: each chunk in turn.
		{"COOKIE_WAIT", "o COOKIE_ECHO DATA: COOKIE_ECHOED", ""},
		{"COOKIE_WAIT", "o DATA COOKIE_ECHO: INVALID", ""},
		{"ESTABLISHED", "o DATA SHUTDOWN SHUTDOWN_ACK: SHUTDOWN_ACK_SENT", ""},
		{"ESTABLISHED", "o ABORT ABORT/T: INVALID, o DATA: CLOSED", ""},

		// A HEARTBEAT with a wrong tag passes; its answer sets the tags anew.
		{"ESTABLISHED", "o tag=9 HB: =, r HB_ACK: ESTABLISHED, r tag=8 HB_ACK: INVALID", "22222222 11111111"},
		{"ESTABLISHED", "o tag=9 HB: =, r tag=8 HB_ACK: ESTABLISHED, o tag=9 HB: ESTABLISHED", "9 8"},
		{"ESTABLISHED", "o tag=9 HB: =, r tag=8 HB: =, r tag=8 HB_ACK: INVALID, o tag=7 HB_ACK: ESTABLISHED", "7 0"},
		{"ESTABLISHED", "o tag=9 HB DATA: INVALID, o tag=9 HB HB: INVALID, o tag=9 SHUTDOWN HB: =", ""},

		// An INIT ACK gives another tag only to the side whose INIT it answers.
		{"COOKIE_ECHOED", "r INIT_ACK=5: COOKIE_ECHOED, r COOKIE_ACK: ESTABLISHED, r INIT_ACK=6: INVALID", "5 11111111"},
		{"ESTABLISHED", "o INIT=33: ESTABLISHED, r tag=33 INIT_ACK=44: ESTABLISHED", "44 33"},
		{"ESTABLISHED", "o INIT=11111111: ESTABLISHED, r INIT_ACK=44: INVALID", "22222222 11111111"},
		{"CLOSED", "r INIT=44: =, o tag=44 INIT_ACK=55: INVALID, r INIT_ACK=66: INVALID", "44 11111111"},
		{"COOKIE_WAIT", "r INIT=57: COOKIE_WAIT, o INIT=58: COOKIE_WAIT, r tag=58 INIT_ACK=55: COOKIE_WAIT", "55 58"},
		{"HEARTBEAT_SENT", "r tag=5 SHUTDOWN_ACK: INVALID, r tag=5 HB_ACK: ESTABLISHED", "22222222 5"},
	} {
		now := time.Unix(1000, 0)
		tab := engine.New(engine.Options{})
		var f ctnetlink.Flow
		send := func(s string) *engine.Verdict {
			v := tab.Track(&engine.Packet{Data: sctpPacket(s), Time: now})
			if !v.Entry.IsZero() {
				if err := f.Decode(v.Entry.Append(nil)); err != nil {
					t.Fatal(err)
				}
			}
			return v
		}
		for _, s := range sctpPaths[c.from] {
			if v := send(s); v.State == engine.StateInvalid {
				t.Fatalf("%s: %s: %s", c.from, s, v.Reason)
			}
		}
		for step := range strings.SplitSeq(c.packets, ", ") {
			packet, want, _ := strings.Cut(step, ": ")
			v := send(packet)
			got := v.After.String()
			switch {
			case v.State == engine.StateInvalid:
				got = "INVALID"
			case v.Ignored:
				got = "="
			}
			if got != want {
				t.Errorf("%s: %s: after %q: %s (%s)", c.from, c.packets, packet, got, v.Reason)
				break
			}
		}
		info, _ := f.ProtoInfo()
		if got := fmt.Sprintf("%x %x", info.VTag[0], info.VTag[1]); c.tags != "" && got != c.tags {
			t.Errorf("%s: %s: tags %s, want %s", c.from, c.packets, got, c.tags)
		}
	}
}
