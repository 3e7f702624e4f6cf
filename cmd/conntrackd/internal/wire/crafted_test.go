package wire

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

var shortDamage = map[Damage]string{
	WrongVersion: "version", BadHeader: "header", BadPayload: "payload", BadType: "type", Truncated: "truncated",
	BadSize: "size",
}

// damages returns what is counted for a datagram.
func damages(b []byte, alarm bool) string {
	var found []string
	for len(b) > 0 {
		h, payload, rest, err := Next(b)
		b = rest
		ignore := false
		if alarm {
			ignore, err = h.Alarm(err)
		}
		if err == nil && !ignore && h.Type <= ExpectDelete {
			_, err = Merge(nil, h.Type, nil, payload)
		}
		if err != nil {
			found = append(found, shortDamage[err.(Damage)])
		}
	}
	if found == nil {
		return "-"
	}
	return strings.Join(found, ",")
}

// TestCrafted compares what is counted with what conntrack-tools' daemon counted.
func TestCrafted(t *testing.T) {
	text, err := os.ReadFile("testdata/crafted.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, " | ")
		if len(f) != 5 {
			t.Fatalf("%d fields: %s", len(f), line)
		}
		name, ftfw, alarm, own := f[0], f[1], f[2], f[3]
		b := unhex(t, f[4])
		if own != "=" {
			ftfw, alarm = own, own
		}
		if got := damages(b, false); got != ftfw {
			t.Errorf("%s: %s, want %s", name, got, ftfw)
		}
		if got := damages(b, true); got != alarm {
			t.Errorf("%s, mode ALARM: %s, want %s", name, got, alarm)
		}
		n++
	}
	if n < 90 {
		t.Errorf("%d datagrams", n)
	}
}

// TestKeys holds the two ways to a key against each other.
func TestKeys(t *testing.T) {
	addr := netip.MustParseAddr
	spec := func(orig ctnetlink.Tuple, zone, zoneOrig, zoneReply uint16) *ctnetlink.FlowSpec {
		s := ctnetlink.NewFlowSpec(orig)
		s.Reply = orig.Reverse()
		if zone != 0 {
			s.SetZone(zone)
		}
		if zoneOrig != 0 {
			s.Orig.Zone, s.Orig.Has = zoneOrig, s.Orig.Has|ctnetlink.FieldZone
		}
		if zoneReply != 0 {
			s.Reply.Zone, s.Reply.Has = zoneReply, s.Reply.Has|ctnetlink.FieldZone
		}
		return s
	}
	keys := make(map[Key]int)
	for i, s := range []*ctnetlink.FlowSpec{
		spec(flowTuple(ctnetlink.ProtoTCP, "10.0.0.1:1", "10.0.0.2:2"), 0, 0, 0),
		spec(flowTuple(ctnetlink.ProtoUDP, "10.0.0.1:1", "10.0.0.2:2"), 0, 0, 0),
		spec(flowTuple(ctnetlink.ProtoUDP, "10.0.0.1:1", "10.0.0.2:2"), 7, 0, 0),
		spec(flowTuple(ctnetlink.ProtoUDP, "10.0.0.1:1", "10.0.0.2:2"), 0, 7, 0),
		spec(flowTuple(ctnetlink.ProtoUDP, "10.0.0.1:1", "10.0.0.2:2"), 0, 0, 7),
		spec(flowTuple(ctnetlink.ProtoUDP, "[fd::1]:1", "[fd::2]:2"), 0, 0, 0),
		spec(flowTuple(ctnetlink.ProtoUDP, "[a00::]:1", "[a00::]:2"), 0, 0, 0),
		spec(flowTuple(ctnetlink.ProtoGRE, "10.0.0.1:1", "10.0.0.2:2"), 0, 0, 0),
		spec(flowTuple(ctnetlink.ProtoGRE, "10.0.0.1:1", "10.0.0.2:3"), 0, 0, 0),
		spec(flowTuple(ctnetlink.ProtoUDPLite, "10.0.0.1:1", "10.0.0.2:3"), 0, 0, 0),
		spec(flowTuple(ctnetlink.ProtoUDPLite, "10.0.0.1:1", "10.0.0.2:4"), 0, 0, 0),
		spec(ctnetlink.NewICMPTuple(addr("10.0.0.1"), addr("10.0.0.2"), 8, 0, 0x1234), 0, 0, 0),
		spec(ctnetlink.NewICMPTuple(addr("10.0.0.1"), addr("10.0.0.2"), 8, 0, 0x3412), 0, 0, 0),
		spec(ctnetlink.NewICMPTuple(addr("fd::1"), addr("fd::2"), 128, 0, 0x1234), 0, 0, 0),
		spec(flowTuple(50, "10.0.0.1:0", "10.0.0.2:0"), 0, 0, 0),
		spec(flowTuple(0, "10.0.0.1:0", "10.0.0.2:0"), 0, 0, 0),
	} {
		f := flowOf(t, s)
		o, err := AppendFlow(nil, f, nil)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		k, ok := FlowKey(f)
		if !ok || o.Key() != k {
			t.Errorf("%d: %+v, want %+v", i, o.Key(), k)
		}
		if j, found := keys[k]; found {
			t.Errorf("%d and %d have the same key", i, j)
		}
		keys[k] = i
		merged, err := Merge(nil, New, nil, o)
		if err != nil || string(merged) != string(o) {
			t.Errorf("%d: Merge: %x, want %x, %v", i, merged, o, err)
		}
		var back ctnetlink.FlowSpec
		if err := merged.Spec(&back); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if again, _ := AppendFlow(nil, flowOf(t, &back), nil); string(again) != string(o) {
			t.Errorf("%d: Spec: %x, want %x", i, again, o)
		}
		// What conntrack-tools would take for another entry is not for it.
		if c := o.Classic(); c != nil {
			if k := Object(c).Key(); k != o.Key() {
				t.Errorf("%d: Classic has another key: %+v, want %+v", i, k, o.Key())
			}
		} else if !ours(o) {
			t.Errorf("%d: nothing of ours, but no Classic", i)
		}
	}
}
