package engine

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	pk "github.com/gonntrack/gonntrack/internal/packets"
)

// fuzzRules translate, give helpers, exclude and drop by a packet's ports.
type fuzzRules struct{}

func (fuzzRules) HasNAT(ctnetlink.Family) bool { return true }

func (fuzzRules) Run(h Hook, from, to int32, m Meta) Action {
	b := m.Transport()
	if len(b) < 4 {
		return Accept
	}
	switch port := be16(b[2:]); {
	case h == Prerouting && from <= -300 && -300 < to && port == 7:
		m.NoTrack()
	case h == Prerouting && from <= -300 && -300 < to && port == 8:
		m.SetZone(5, true, port&1 == 0)
	case h == Prerouting && from <= -150 && -150 < to:
		for _, x := range helpers {
			if m.SetHelper(x.name, m.Family(), m.Protocol()) {
				break
			}
		}
		m.SetMark(uint32(port))
	case h == ForwardHook && port == 9:
		return Drop
	case h == ForwardHook && port == 10:
		return Reject
	}
	return Accept
}

func (fuzzRules) NAT(h Hook, m Meta, r *Translation) (Action, bool) {
	a, b := "198.51.100.1", "198.51.100.3"
	if m.Family() == familyIPv6 {
		a, b = "2001:db8::1", "2001:db8::3"
	}
	r.MinAddr, r.MaxAddr = netip.MustParseAddr(a), netip.MustParseAddr(b)
	if h == Postrouting {
		r.Kind, r.HasPorts, r.MinPort, r.MaxPort = SNAT, true, 2000, 2002
		return Accept, true
	}
	r.Kind = DNAT
	return Accept, len(m.Transport()) > 3 && be16(m.Transport()[2:]) == 80
}

// fuzzPacket appends a packet as FuzzTrack reads it: how, the seconds since the
// last one, the length and the bytes.
func fuzzPacket(b []byte, how, seconds uint8, p []byte) []byte {
	b = append(b, how, seconds)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
}

// Bits of a packet's first byte in FuzzTrack; the lowest two are Where.
const (
	fuzzCut   = 4 // a half of it was captured
	fuzzOther = 8 // by the other interface
)

// Bits of the first byte of FuzzTrack's input.
const (
	fuzzRouter = 1 << iota
	fuzzWithRules
	fuzzNoSums
	fuzzLiberal
	fuzzAccounting
)

// FuzzTrack: no packets make Track panic or go on for ever, and what it keeps is
// bounded.
func FuzzTrack(f *testing.F) {
	for _, b := range fuzzSeeds(f) {
		f.Add(append([]byte{fuzzNoSums | fuzzAccounting}, b...))
		f.Add(append([]byte{fuzzRouter | fuzzWithRules}, b...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		const limit = 8
		o := Options{Max: limit, AlwaysEvents: true, Accounting: b[0]&fuzzAccounting != 0, Sysctls: DefaultSysctls()}
		o.Host.Router = b[0]&fuzzRouter != 0
		o.Host.Addrs = []Addr{{"a", netip.MustParsePrefix("10.0.0.1/24")}, {"b", netip.MustParsePrefix("2001:db8::1/64")}}
		o.Sysctls.Checksum, o.Sysctls.Liberal = b[0]&fuzzNoSums == 0, b[0]&fuzzLiberal != 0
		o.Sysctls.FragHigh, o.Sysctls.Frag6High, o.Sysctls.ExpectMax = 20000, 20000, limit
		if b[0]&fuzzWithRules != 0 {
			o.Rules = fuzzRules{}
		}
		tab := New(o)
		in := Packet{Time: time.Unix(1000, 0)}
		for b = b[1:]; len(b) >= 4; {
			n := min(int(be16(b[2:])), len(b)-4)
			p := b[4 : 4+n]
			in.Where, in.In, in.Out = Where(b[0]&3)%3, "a", "b"
			if b[0]&fuzzOther != 0 {
				in.In, in.Out = "b", "a"
			}
			in.Time = in.Time.Add(time.Duration(b[1]) * time.Second)
			in.Data, in.Length = p, n
			if b[0]&fuzzCut != 0 {
				in.Data = p[:n/2]
			}
			b = b[4+n:]
			before := string(in.Data)
			checkVerdict(t, tab.Track(&in))
			if string(in.Data) != before {
				t.Fatal("the packet was changed")
			}
			if tab.Len() > limit || len(tab.expect.all) > limit {
				t.Fatalf("%d entries, %d expectations", tab.Len(), len(tab.expect.all))
			}
			checkReassembly(t, tab)
		}
		// At the end of all timeouts nothing is left.
		in.Time = in.Time.Add(1 << 31 * time.Second)
		in.Data, in.Length = nil, 0
		for range 2 {
			tab.Track(&in)
		}
		for _, family := range []ctnetlink.Family{familyIPv4, familyIPv6} {
			tab.path.frags.queue(family, tab.wall)
		}
		checkReassembly(t, tab)
		if n := len(tab.path.frags.sets); tab.Len() != 0 || n != 0 {
			t.Fatalf("%d entries and %d sets of fragments never end", tab.Len(), n)
		}
	})
}

// checkVerdict checks that a verdict is one that a program can print.
func checkVerdict(t *testing.T, v *Verdict) {
	t.Helper()
	_ = v.State.String() + v.Fate.String() + v.Reason.String()
	size := 0
	for _, b := range v.Leaves {
		size += len(b)
	}
	if size > 20<<16 {
		t.Fatalf("%d bytes leave", size)
	}
	switch {
	case v.Fate == Dropped && v.Reason.Code == NoReason:
		t.Fatalf("%s, dropped without a reason", v.State)
	case (v.State == StateInvalid || v.State == StateUnknown) && v.Reason.Code == NoReason:
		t.Fatalf("%s without a reason", v.State)
	case (v.Fate == Waits || v.Fate == Dropped || v.Fate == Delivered) && len(v.Leaves) > 0:
		t.Fatalf("%s, but something leaves", v.Fate)
	case (v.Fate == Forwarded || v.Fate == Translated) && len(v.Leaves) == 0:
		t.Fatalf("%s %s, but nothing leaves: %s", v.State, v.Fate, v.Reason)
	}
	if v.Entry.IsZero() {
		return
	}
	var f ctnetlink.Flow
	if m := v.Entry.Append(nil); f.Decode(m) != nil {
		t.Fatalf("entry %x", m)
	}
}

// fuzzSeeds returns sequences of packets: those of testdata, and some that meet
// helpers and NAT.
func fuzzSeeds(f *testing.F) [][]byte {
	var all [][]byte
	for _, name := range []string{"stack4", "stack6", "fragments4", "fragments6"} {
		file, err := os.Open("testdata/" + name + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		defer file.Close()
		var seed []byte
		n := 0
		for s := bufio.NewScanner(file); s.Scan(); {
			if l := s.Text(); l[0] == '=' {
				if n++; n%8 == 0 {
					all = append(all, seed)
					seed = nil
				}
			} else if w := strings.Split(l, " "); len(w) > 3 && l[0] != '#' {
				p, err := hex.DecodeString(w[3])
				if err != nil {
					f.Fatal(err)
				}
				seed = fuzzPacket(seed, 0, 1, p)
			}
		}
		all = append(all, seed)
	}
	a, b := pk.Port("10.0.0.2:1000"), pk.Port("192.0.2.2:21")
	out := func(flags uint8, seq, ack uint32, data string) []byte {
		return pk.TCP{Src: a, Dst: b, Flags: flags, Seq: seq, Ack: ack, Window: 60000, Data: []byte(data)}.Bytes()
	}
	back := func(flags uint8, seq, ack uint32, data string) []byte {
		return pk.TCP{Src: b, Dst: a, Flags: flags, Seq: seq, Ack: ack, Window: 60000, Data: []byte(data)}.Bytes()
	}
	var ftp []byte
	for i, p := range [][]byte{
		out(pk.SYN, 100, 0, ""), back(pk.SYN|pk.ACK, 500, 101, ""), out(pk.ACK, 101, 501, ""),
		out(pk.ACK, 101, 501, "USER x\r\n"), out(pk.ACK, 109, 501, "PORT 10,0,0,2,100,5\r\n"), out(pk.FIN|pk.ACK, 130, 501, ""),
	} {
		how := uint8(0)
		if i == 1 {
			how = fuzzOther
		}
		ftp = fuzzPacket(ftp, how, 0, p)
	}
	echo := pk.Echo(pk.Addr("10.0.0.2"), pk.Addr("192.0.2.2"), 7, 1, false).Bytes()
	all = append(all, ftp, fuzzPacket(fuzzPacket(nil, fuzzCut, 200, echo), 2, 0, echo))
	return all
}
