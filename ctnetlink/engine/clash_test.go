package engine

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/packets"
)

// TestClash: two packets of a new flow before either is confirmed. The later one
// joins the entry of the first if its protocol has no state, as in Linux 6.18 with
// packets that were held back and released in turn.
func TestClash(t *testing.T) {
	a, b := packets.Port("10.0.0.2:1000"), packets.Port("192.0.2.2:53")
	there := packets.UDP{Src: a, Dst: b}.Bytes()
	back := packets.UDP{Src: b, Dst: a}.Bytes()
	syn := packets.TCP{Src: a, Dst: b, Flags: packets.SYN}.Bytes()
	echo := packets.Echo(a.Addr(), b.Addr(), 7, 1, false).Bytes()
	esp := packets.IP{Src: a.Addr(), Dst: b.Addr(), Proto: packets.ProtoESP, Payload: []byte("1234")}.Bytes()
	for _, tt := range []struct {
		name          string
		first, second []byte
		joins         bool
		bytes         uint64
	}{
		{"udp", there, there, true, 2 * 28},
		{"udp, other direction", there, back, true, 2 * 28},
		{"esp", esp, esp, true, 2 * 24},
		{"tcp", syn, syn, false, 40},
		{"icmp", echo, echo, false, 32},
	} {
		tab := New(Options{Accounting: true})
		tab.setClock(time.Unix(1000, 0).UnixNano())
		var p [2]packet
		for i, data := range [][]byte{tt.first, tt.second} {
			p[i].begin(&Packet{Data: data})
			if !tab.enter(&p[i]) || !tab.conntrack(&p[i]) || !p[i].v.New {
				t.Fatalf("%s: packet %d makes no entry", tt.name, i)
			}
		}
		if !tab.confirm(&p[0]) {
			t.Fatalf("%s: the first one is dropped", tt.name)
		}
		e := p[0].e
		if got := tab.confirm(&p[1]); got != tt.joins {
			t.Errorf("%s: the second one passes: %t, want %t", tt.name, got, tt.joins)
		}
		resolved, failed := uint32(0), uint32(1)
		if tt.joins {
			resolved, failed = 1, 0
			if p[1].e != e {
				t.Errorf("%s: the second one has an entry of its own", tt.name)
			}
		}
		if s := tab.stats; s.clashResolve != resolved || s.insertFailed != failed || s.drop != failed {
			t.Errorf("%s: %+v", tt.name, s)
		}
		if c := e.counters[original]; c.bytes != tt.bytes || e.counters[reply] != (counter{}) || tab.count != 1 {
			t.Errorf("%s: counters %+v, %d entries, want %d bytes", tt.name, e.counters, tab.count, tt.bytes)
		}
	}
}
