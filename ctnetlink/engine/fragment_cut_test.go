package engine_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// TestCutFragmentHeader has IPv6 packets that end within their fragment header,
// behind the offset, and what Linux made of them: the conntrack rules see them as invalid, or never.
func TestCutFragmentHeader(t *testing.T) {
	for _, tc := range []struct {
		next    byte
		payload string
		invalid bool
	}{
		{44, "11000000", true},
		{44, "11000001", true},
		{44, "11000008", false},
		{44, "11000010", false},
		{44, "1100000000", true},
		{44, "1100001000", false},
		{44, "11000010000000", false},
		{44, "1100ffff000000", false},
		{44, "3a000001000000", true},
		{60, "2c0001040000000011000010", false},
		{60, "2c0001040000000011000000", true},
	} {
		payload := unhex(t, tc.payload)
		b := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(payload)))
		b = append(b, tc.next, 64)
		b = append(b, netip.MustParseAddr("2001:db8:1::2").AsSlice()...)
		b = append(b, netip.MustParseAddr("2001:db8:2::2").AsSlice()...)
		tab := engine.New(engine.Options{Host: router()})
		v := tab.Track(&engine.Packet{Data: append(b, payload...), Time: time.Unix(1000, 0), In: "a", Out: "b"})
		if got := v.State == engine.StateInvalid; got != tc.invalid || !got && v.State != engine.StateNone {
			t.Errorf("%d %s: %v, invalid: want %v", tc.next, tc.payload, v.State, tc.invalid)
		}
	}
}
