package engine

import (
	"net/netip"
	"testing"
	"time"

	pk "github.com/gonntrack/gonntrack/internal/packets"
)

// TestCut: of a packet of which only the beginning was captured the verdict is
// that on the whole, or UNKNOWN, and it changes once from one to the other.
func TestCut(t *testing.T) {
	for _, a := range [][2]string{{"10.0.0.2", "192.0.2.2"}, {"fd00::2", "fd01::2"}} {
		src, dst := netip.AddrPortFrom(pk.Addr(a[0]), 1000), netip.AddrPortFrom(pk.Addr(a[1]), 80)
		data := make([]byte, 60)
		known := pk.UDP{Src: src, Dst: netip.AddrPortFrom(dst.Addr(), 53)}.Bytes()
		unreachable := uint8(3)
		if src.Addr().Is6() {
			unreachable = 1
		}
		echo := pk.Echo(src.Addr(), dst.Addr(), 7, 1, false)
		echo.Data = data
		long := pk.TCP{Src: src, Dst: dst, Flags: pk.SYN, Options: []byte{1, 1, 4, 2, 1, 3, 3, 7}, Data: data}
		for name, p := range map[string][]byte{
			"UDP": pk.UDP{Src: src, Dst: dst, Data: data}.Bytes(), "TCP": long.Bytes(), "echo": echo.Bytes(),
			"SCTP":    pk.SCTP{Src: src, Dst: dst, Chunks: []pk.Chunk{pk.InitChunk(pk.ChunkInit, 5)}}.Bytes(),
			"GRE":     pk.GRE{Src: src.Addr(), Dst: dst.Addr(), Data: data}.Bytes(),
			"ESP":     pk.IP{Src: src.Addr(), Dst: dst.Addr(), Proto: 50, Payload: data}.Bytes(),
			"error":   pk.Error(dst.Addr(), src.Addr(), unreachable, 1, known, 0).Bytes(),
			"options": pk.UDP{Src: src, Dst: dst, Data: data, IP: pk.IP{Options: []byte{1, 1, 1, 0}, Extensions: someExtensions(src)}}.Bytes(),
		} {
			track := func(n int) (State, ReasonCode) {
				tab := New(Options{})
				now := time.Unix(1000, 0)
				tab.Track(&Packet{Data: known, Time: now})
				v := tab.Track(&Packet{Data: p[:n], Length: len(p), Time: now})
				if v.State == StateUnknown && (v.Reason.Code != CutShort || v.Fate == Dropped || len(v.Leaves) != 1) {
					t.Errorf("%s %s, %d bytes: UNKNOWN, %s, %d leave: %s", a[0], name, n, v.Fate, len(v.Leaves), v.Reason)
				}
				return v.State, v.Reason.Code
			}
			whole, why := track(len(p))
			if whole != StateNew && whole != StateRelated {
				t.Errorf("%s %s: %s (%s)", a[0], name, whole, Reason{Code: why})
			}
			judged := -1
			for n := range len(p) {
				switch s, why := track(n); {
				case s == whole && judged < 0:
					judged = n
				case s != whole && s != StateUnknown:
					t.Errorf("%s %s, %d of %d bytes: %s (%s), want %s or UNKNOWN", a[0], name, n, len(p), s, Reason{Code: why}, whole)
				case s == StateUnknown && judged >= 0:
					t.Errorf("%s %s: UNKNOWN with %d bytes, %s with %d", a[0], name, n, whole, judged)
				}
			}
			if judged < 0 || judged > 110 {
				t.Errorf("%s %s: %d bytes are needed", a[0], name, judged)
			}
		}
	}
}

func someExtensions(src netip.AddrPort) []pk.Extension {
	if src.Addr().Is4() {
		return nil
	}
	return []pk.Extension{pk.HopByHop(), pk.Destination(), pk.Routing(4, 0)}
}

// TestCutSums: a wrong sum is not seen if the packet was cut, and a wrong length
// is.
func TestCutSums(t *testing.T) {
	p := pk.UDP{Src: pk.Port("10.0.0.2:1000"), Dst: pk.Port("192.0.2.2:53"), Data: make([]byte, 40), Sum: pk.Sum{Bad: true}}
	tab := New(Options{})
	b := p.Bytes()
	if v := tab.Track(&Packet{Data: b, Time: time.Unix(1000, 0)}); v.State != StateInvalid {
		t.Errorf("whole: %s", v.State)
	}
	if v := tab.Track(&Packet{Data: b[:60], Length: len(b), Time: time.Unix(1000, 0)}); v.State != StateNew {
		t.Errorf("cut: %s", v.State)
	}
	p.Length = 100
	b = p.Bytes()
	if v := tab.Track(&Packet{Data: b[:60], Length: len(b), Time: time.Unix(1000, 0)}); v.State != StateInvalid {
		t.Errorf("cut, with a wrong length: %s", v.State)
	}
}
