package engine_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	pk "github.com/gonntrack/gonntrack/internal/packets"
)

var (
	client4, server4 = pk.Addr("10.0.0.2"), pk.Addr("192.0.2.2")
	client6, server6 = pk.Addr("fd00:1::2"), pk.Addr("fd00:2::2")
)

// track gives a table a packet and returns its verdict.
func track(t *testing.T, tab *engine.Table, p []byte) *engine.Verdict {
	t.Helper()
	return tab.Track(&engine.Packet{Data: p, Time: time.Unix(1000, 0)})
}

// TestICMPTypes has the verdict of Linux on a packet of each type, in a table
// without entries. Types that are not named are INVALID.
func TestICMPTypes(t *testing.T) {
	for _, c := range []struct {
		src, dst       netip.Addr
		new, untracked []uint8
	}{
		{client4, server4, []uint8{8, 13, 15, 17}, nil},
		{client6, server6, []uint8{128, 139}, []uint8{130, 131, 132, 133, 134, 135, 136, 143, 151, 152}},
	} {
		var want [256]engine.State
		for i := range want {
			want[i] = engine.StateInvalid
		}
		for _, typ := range c.new {
			want[typ] = engine.StateNew
		}
		for _, typ := range c.untracked {
			want[typ] = engine.StateUntracked
		}
		tab := engine.New(engine.Options{})
		for typ, want := range want {
			for _, code := range []uint8{0, 5} {
				p := pk.ICMP{Src: c.src, Dst: c.dst, Type: uint8(typ), Code: code, ID: 100, Seq: 1, Data: make([]byte, 40)}
				if v := track(t, tab, p.Bytes()); v.State != want {
					t.Errorf("%s type %d code %d: %s, want %s", c.src, typ, code, v.State, want)
				}
			}
		}
	}
}
