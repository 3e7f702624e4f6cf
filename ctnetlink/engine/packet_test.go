package engine_test

import (
	enchex "encoding/hex"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

func TestTrackUDP(t *testing.T) {
	query, _ := enchex.DecodeString("4500001c000100004011aecc0a000002c000020203e8003500080000")
	tab := engine.New(engine.Options{})
	v := tab.Track(&engine.Packet{Data: query, Time: time.Unix(100, 0)})
	if v.State != engine.StateNew || !v.Confirmed || v.Fate != engine.Forwarded {
		t.Fatalf("first packet: %+v", v)
	}
	var f ctnetlink.Flow
	if err := f.Decode(v.Entry.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if got, want := f.Orig().String(), "udp 10.0.0.2:1000 -> 192.0.2.2:53"; got != want {
		t.Errorf("tuple %s, want %s", got, want)
	}
	if v := tab.Track(&engine.Packet{Data: query, Time: time.Unix(131, 0)}); v.State != engine.StateNew || !v.New {
		t.Errorf("after the timeout: %+v", v)
	}
}

func TestProtocols(t *testing.T) {
	query, _ := enchex.DecodeString("4500001c000100004011aecc0a000002c000020203e8003500080000")
	now := time.Unix(100, 0)
	tab := engine.New(engine.Options{Now: func() time.Time { return now }})
	tab.Track(&engine.Packet{Data: query, Time: now})
	if got, want := tab.Protocols(), [256]int{17: 1}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
	now = now.Add(30 * time.Second) // nf_conntrack_udp_timeout
	if got := tab.Protocols(); got != [256]int{} {
		t.Errorf("after the timeout: %v", got)
	}
}
