package engine

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/packets"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// tcpScript is packets of a connection, and what becomes of the last one.
//
// A packet is its sender, o or r, and its flags: oS, rSA. Its numbers are those
// that the other side expects, unless told otherwise: rPA,seq+5,ack-3,win=0,len=10.
// seq= and ack= count from the first number of the side that counts. again is
// the first number of a new connection. +5s is time that passes; name=value sets
// a variable.
type tcpScript struct{ packets, want string }

// tcpPlayer plays scripts.
type tcpPlayer struct {
	isn, next [2]uint32
	win       [2]int
	send      func(from int, p packets.TCP) (passed bool)
	wait      func(time.Duration)
	set       func(name, value string)
}

func newTCPPlayer() *tcpPlayer {
	return &tcpPlayer{isn: [2]uint32{1000000, 5000000}, next: [2]uint32{1000000, 5000000}, win: [2]int{60000, 60000}}
}

func (c *tcpPlayer) play(script string) {
	for _, step := range strings.Fields(script) {
		name, value, isSet := strings.Cut(step, "=")
		switch {
		case step[0] == '+':
			d, err := time.ParseDuration(step[1:])
			if err != nil {
				panic(err)
			}
			c.wait(d)
		case isSet && !strings.Contains(name, ","):
			c.set(name, value)
		default:
			c.packet(strings.Split(step, ","))
		}
	}
}

func (c *tcpPlayer) packet(words []string) {
	from := strings.IndexByte("or", words[0][0])
	p := packets.TCP{Seq: c.next[from], Window: c.win[from]}
	for _, f := range words[0][1:] {
		p.Flags |= 1 << strings.IndexRune("FSRPA", f)
	}
	if p.Flags&packets.ACK != 0 {
		p.Ack = c.next[1-from]
	}
	quiet := p.Flags&packets.RST != 0
	number := func(s string) int {
		n, err := strconv.ParseInt(s, 10, 64) // more than an int of 32 bits
		if err != nil {
			panic(err)
		}
		return int(n)
	}
	for _, w := range words[1:] {
		at := strings.IndexAny(w, "+-=")
		if at < 0 {
			p.Options = append(p.Options, packets.SACKPermitted()...)
			continue
		}
		switch name, n := w[:at], w[at:]; name {
		case "seq", "ack":
			to, isn := &p.Seq, c.isn[from]
			if name == "ack" {
				to, isn = &p.Ack, c.isn[1-from]
			}
			if n[0] == '=' {
				*to = isn + uint32(number(n[1:]))
			} else {
				*to += uint32(number(n))
			}
			quiet = quiet || name == "seq"
		case "len":
			p.Data = make([]byte, number(n[1:]))
		case "win":
			if p.Window = number(n[1:]); p.Window == 0 {
				p.Window = packets.Zero
			}
			c.win[from] = p.Window
		case "scale":
			p.Options = append(p.Options, packets.WindowScale(uint8(number(n[1:])))...)
		case "sack":
			p.Options = append(p.Options, packets.SACK([2]uint32{p.Ack, p.Ack + uint32(number(n[1:]))})...)
		case "again":
			c.isn[from] += uint32(number(n))
			p.Seq, quiet = c.isn[from], false
			c.next[from] = p.Seq
		default:
			panic(w)
		}
	}
	end := p.Seq + uint32(len(p.Data)) + uint32(p.Flags>>1&1) + uint32(p.Flags&1)
	if c.send(from, p) && !quiet && int32(end-c.next[from]) > 0 {
		c.next[from] = end
	}
}

// tcpEnds are the two ends of the connection of a script.
var tcpClient, tcpServer = packets.Port("10.0.0.2:1025"), packets.Port("192.0.2.2:80")

// playTCP plays a script on a new table and describes the last packet: verdict,
// state, timeout, flags of both sides, packets counted, events, and the reason.
func playTCP(t *testing.T, script string) string {
	t.Helper()
	tab := New(Options{Accounting: true, AlwaysEvents: true})
	l, err := tab.Dial()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy} {
		if err := l.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	c, now, last := newTCPPlayer(), time.Unix(1000, 0), ""
	c.wait = func(d time.Duration) { now = now.Add(d) }
	c.set = func(name, value string) {
		if known, err := tab.o.Sysctls.Set(name, value); err != nil || !known {
			t.Fatalf("%s: known %t, %v", name, known, err)
		}
	}
	c.send = func(from int, p packets.TCP) bool {
		p.Src, p.Dst = tcpClient, tcpServer
		if from == 1 {
			p.Src, p.Dst = tcpServer, tcpClient
		}
		v := tab.Track(&Packet{Data: p.Bytes(), Time: now})
		last = describeTCP(tab, v)
		buf := make([]byte, 4096)
		for {
			n, _, err := l.Poll(buf)
			if err != nil {
				break
			}
			last += " " + eventName(buf[:n])
		}
		return v.State != StateInvalid
	}
	c.play(script)
	return last
}

func eventName(msg []byte) string {
	typ, flags := binary.NativeEndian.Uint16(msg[4:]), binary.NativeEndian.Uint16(msg[6:])
	switch {
	case typ&0xff == wire.MsgDelete:
		return "DESTROY"
	case flags&(wire.FlagCreate|wire.FlagExcl) != 0:
		return "NEW"
	}
	return "UPDATE"
}

func describeTCP(tab *Table, v *Verdict) string {
	s := v.State.String()
	if !v.Entry.IsZero() {
		s += map[bool]string{false: " o", true: " r"}[v.Reply]
	}
	if v.Confirmed {
		e := v.Entry.e
		assured := ""
		if e.status&ctnetlink.StatusAssured != 0 {
			assured = "*"
		}
		s += fmt.Sprintf(" %v%s %d %x/%x %d/%d", e.state(), assured, e.remaining(tab.now), e.proto.flags[0], e.proto.flags[1],
			e.counters[0].packets, e.counters[1].packets)
	}
	for _, r := range []Reason{v.Reason, v.Also} {
		if r.Code != NoReason {
			s += " " + r.Code.Name()
			if r.Code >= TCPSeqBeyond && r.Code <= TCPAckUnder {
				s += fmt.Sprintf("(%d)", r.N[1])
			}
		}
	}
	return s
}

func TestTCPScripts(t *testing.T) {
	for _, s := range tcpScripts {
		if got := playTCP(t, s.packets); got != s.want {
			t.Errorf("%s:\n got %s\nwant %s", s.packets, got, s.want)
		}
	}
}

// tcpStates are ways to the states.
var tcpStatePaths = []struct{ state, packets string }{
	{"none", ""},
	{"SYN_SENT", "oS"},
	{"SYN_RECV", "oS rSA"},
	{"ESTABLISHED", "oS rSA oA"},
	{"FIN_WAIT", "oS rSA oA oFA"},
	{"CLOSE_WAIT", "oS rSA oA oFA rA"},
	{"LAST_ACK", "oS rSA oA oFA rA rFA"},
	{"TIME_WAIT", "oS rSA oA oFA rA rFA oA"},
	{"CLOSE", "oS rSA oA oFA oR"},
	{"CLOSE by r's RST", "oS rSA oA rR"},
	{"SYN_SENT2", "oS rS"},
}

// tcpStateTable is what Linux does with one packet in each state, by direction:
// SYN, SYN/ACK, FIN, ACK, RST. = means that the packet passes and changes nothing.
const tcpStateTable = `
none             o  SYN_SENT    INVALID   INVALID   ESTABLISHED INVALID
SYN_SENT         o  SYN_SENT    INVALID   INVALID   INVALID     removed
SYN_SENT         r  SYN_SENT2   SYN_RECV  INVALID   =           removed
SYN_RECV         o  =           SYN_RECV  FIN_WAIT  ESTABLISHED CLOSE
SYN_RECV         r  INVALID     =         FIN_WAIT  SYN_RECV    CLOSE
ESTABLISHED      o  =           INVALID   FIN_WAIT  ESTABLISHED CLOSE
ESTABLISHED      r  INVALID     =         FIN_WAIT  ESTABLISHED CLOSE
FIN_WAIT         o  =           INVALID   LAST_ACK  CLOSE_WAIT  CLOSE
FIN_WAIT         r  INVALID     =         LAST_ACK  CLOSE_WAIT  CLOSE
CLOSE_WAIT       o  =           INVALID   LAST_ACK  CLOSE_WAIT  CLOSE
CLOSE_WAIT       r  INVALID     =         LAST_ACK  CLOSE_WAIT  CLOSE
LAST_ACK         o  =           INVALID   LAST_ACK  TIME_WAIT   CLOSE
LAST_ACK         r  INVALID     =         LAST_ACK  TIME_WAIT   CLOSE
TIME_WAIT        o  new         INVALID   TIME_WAIT TIME_WAIT   CLOSE
TIME_WAIT        r  new         =         TIME_WAIT TIME_WAIT   CLOSE
CLOSE            o  new         INVALID   CLOSE     CLOSE       CLOSE
CLOSE            r  INVALID     =         CLOSE     CLOSE       CLOSE
CLOSE by r's RST o  =           INVALID   CLOSE     CLOSE       CLOSE
CLOSE by r's RST r  INVALID     =         CLOSE     CLOSE       CLOSE
SYN_SENT2        o  SYN_SENT2   SYN_RECV  INVALID   INVALID     CLOSE
SYN_SENT2        r  SYN_SENT2   SYN_RECV  INVALID   =           CLOSE
`

func TestTCPStates(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(tcpStateTable)) {
		state, dir, want := strings.TrimSpace(line[:17]), line[17:18], strings.Fields(line[19:])
		path := ""
		for _, p := range tcpStatePaths {
			if p.state == state {
				path = p.packets
			}
		}
		for i, flags := range []string{"S", "SA", "FA", "A", "R"} {
			if (state == "SYN_SENT2" || state == "SYN_SENT") && dir == "o" && flags == "S" || state == "SYN_SENT2" && flags == "S" {
				flags = "S,seq=0" // again
			}
			before := ""
			if path != "" {
				before = playTCP(t, path)
			}
			got := playTCP(t, path+" "+dir+flags)
			if short := shortState(before, got); short != want[i] {
				t.Errorf("%s, then %s%s: %s, want %s (%s)", state, dir, flags, short, want[i], got)
			}
		}
	}
}

// shortState returns what became of a packet, given the descriptions of the
// packets before and after it.
func shortState(before, after string) string {
	words := strings.Fields(after)
	switch {
	case words[0] == "INVALID":
		return words[0]
	case strings.HasSuffix(after, "DESTROY"):
		return "removed"
	case strings.HasSuffix(after, "DESTROY NEW"):
		return "new"
	case strings.Contains(after, "tcp-ignored"):
		if was := strings.Fields(before); was[2] == words[2] && was[5] == words[5] {
			return "="
		}
	}
	return strings.TrimSuffix(words[2], "*")
}

// A verdict can have two reasons.
func TestVerdictReasons(t *testing.T) {
	v := Verdict{Reason: reasonOf(TCPSeqOver, 1301, 1200), Also: Reason{TCPAnswersFIN, [3]int64{2, 1, 75000}}}
	if got, want := string(v.AppendReason(nil)), "SEQ is 1200 bytes above the receiver's window; "+
		"it answers a FIN of the other side that was INVALID too: the entry will end soon"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := string(v.AppendKernel(nil)), "SEQ is over upper bound 1301 (over the window of the receiver); "+
		"packet (index 2, dir 1) response for index 2 lower timeout to 75000"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	v.Also = Reason{}
	if got, want := string(v.AppendReason(nil)), "SEQ is 1200 bytes above the receiver's window"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The counter of repeated ACKs has 8 bits.
func TestTCPRepeats(t *testing.T) {
	for n, want := range map[int]string{2: "432000", 3: "300", 255: "300", 256: "432000", 258: "432000", 259: "300"} {
		got := playTCP(t, "oS rSA oA"+strings.Repeat(" rA", n+1))
		if words := strings.Fields(got); words[3] != want {
			t.Errorf("%d times again: %s, want %s seconds", n, got, want)
		}
	}
}

// A SYN of which only the fixed header was captured may have had a window scale:
// what is above the window is UNKNOWN, not INVALID.
func TestTCPOptionsCut(t *testing.T) {
	for _, c := range []struct {
		cut  int
		want State
	}{{0, StateInvalid}, {4, StateUnknown}} {
		tab, player := New(Options{}), newTCPPlayer()
		var last Verdict
		player.send = func(from int, p packets.TCP) bool {
			p.Src, p.Dst = tcpClient, tcpServer
			if from == 1 {
				p.Src, p.Dst = tcpServer, tcpClient
			}
			b := p.Bytes()
			in := Packet{Data: b, Length: len(b), Time: time.Unix(1000, 0)}
			if p.Flags&packets.SYN != 0 {
				in.Data = b[:len(b)-c.cut]
			}
			last = *tab.Track(&in)
			return last.State != StateInvalid
		}
		player.play("oS,sackok rSA,sackok oA rPA,len=10,seq+120000")
		if last.State != c.want {
			t.Errorf("%d bytes of the options cut: %v, %v, want %v", c.cut, last.State, last.Reason, c.want)
		}
		if player.play("oA"); last.State != StateEstablished {
			t.Errorf("then an ACK: %v, %v", last.State, last.Reason)
		}
	}
}

// tcpSpin returns packets of an established connection, by direction, that can
// be repeated.
func tcpSpin(tb testing.TB, tab *Table) (p [2]packet) {
	player := newTCPPlayer()
	player.send = func(from int, s packets.TCP) bool {
		s.Src, s.Dst = tcpClient, tcpServer
		if from == 1 {
			s.Src, s.Dst = tcpServer, tcpClient
		}
		s.Options = packets.Options(packets.Timestamps(1, 2))
		if v := tab.Track(&Packet{Data: s.Bytes(), Time: time.Unix(1000, 0)}); v.State == StateInvalid {
			tb.Fatal(v.Reason)
		}
		p[from] = tab.path.pkt
		return true
	}
	player.play("oS rSA oA rPA,len=1000 oA rPA,len=1000")
	return p
}

func TestTCPAllocates(t *testing.T) {
	tab := New(Options{Accounting: true})
	p := tcpSpin(t, tab)
	if n := testing.AllocsPerRun(100, func() {
		for i := range p {
			if did, r := trackTCP(tab, &p[i]); did == rejected {
				t.Fatal(r)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations for two packets", n)
	}
}

// BenchmarkTCPState is the state machine alone, for one packet.
func BenchmarkTCPState(b *testing.B) {
	tab := New(Options{Accounting: true})
	p := tcpSpin(b, tab)
	i := 0
	for b.Loop() {
		if did, _ := trackTCP(tab, &p[i&1]); did != accepted {
			b.Fatal(did)
		}
		i++
	}
}

// BenchmarkTCPHeader is reading and checking the header, for one packet.
func BenchmarkTCPHeader(b *testing.B) {
	tab := New(Options{Sysctls: func() Sysctls { s := DefaultSysctls(); s.Checksum = false; return s }()})
	p := tcpSpin(b, tab)
	for b.Loop() {
		p[0].tcp = segment{}
		if r := checkTCP(tab, &p[0]); r.Code != NoReason {
			b.Fatal(r)
		}
	}
}
