package ruleset_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/ctnetlink/ruleset"
	"github.com/gonntrack/gonntrack/internal/packets"
)

var (
	dns    = packets.UDP{Src: packets.Port("10.0.0.2:1000"), Dst: packets.Port("192.0.2.2:53")}
	web    = packets.TCP{Src: packets.Port("10.0.0.2:1000"), Dst: packets.Port("192.0.2.2:80"), Flags: packets.SYN, Seq: 1}
	stray  = packets.TCP{Src: packets.Port("10.0.0.2:1000"), Dst: packets.Port("192.0.2.2:80"), Flags: packets.RST, Seq: 1}
	dns6   = packets.UDP{Src: packets.Port("[2001:db8:1::2]:1000"), Dst: packets.Port("[2001:db8:2::2]:53")}
	answer = packets.UDP{Src: packets.Port("192.0.2.2:53"), Dst: packets.Port("10.0.0.2:1000")}
)

// Each rule is put into a chain at prerouting before tracking (raw), one after it
// (pre) and one of type nat (post); the verdicts are on the packets in turn.
func TestRules(t *testing.T) {
	type bytes interface{ Bytes() []byte }
	for _, c := range []struct {
		raw, pre, post string
		packets        []bytes
		want           string // of each: state, fate; of the last: the mark, the zone
	}{
		{packets: []bytes{dns, answer, dns}, want: "NEW forwarded ESTABLISHED forwarded ESTABLISHED forwarded"},
		{raw: "udp dport 53 notrack", packets: []bytes{dns, web}, want: "UNTRACKED forwarded NEW forwarded"},
		{raw: "ip6 saddr 2001:db8::/32 notrack", packets: []bytes{dns, dns6}, want: "NEW forwarded UNTRACKED forwarded"},
		{pre: "ct state invalid drop", packets: []bytes{stray, web}, want: "INVALID dropped NEW forwarded"},
		{pre: "ct state new,invalid drop", packets: []bytes{stray, web}, want: "INVALID dropped NEW dropped"},
		{pre: "ct state != new,invalid drop", packets: []bytes{stray, web}, want: "INVALID dropped NEW dropped"},
		{pre: "ct state != new drop", packets: []bytes{stray, web}, want: "INVALID dropped NEW forwarded"},
		{pre: "ct state vmap { invalid : accept, new : drop }", packets: []bytes{stray, web}, want: "INVALID forwarded NEW dropped"},
		{pre: "tcp flags syn drop", packets: []bytes{web, dns}, want: "NEW dropped NEW forwarded"},
		{pre: "tcp flags & (syn|ack) == syn drop", packets: []bytes{web}, want: "NEW dropped"},
		{pre: "tcp flags syn / ack drop", packets: []bytes{web}, want: "NEW forwarded"},
		{pre: "tcp flags != syn drop", packets: []bytes{web, dns}, want: "NEW forwarded NEW forwarded"},
		{pre: "udp sport 1-999,1000 drop", packets: nil, want: "error"},
		{pre: "udp sport { 1-999, 1000 } drop", packets: []bytes{dns, answer, web}, want: "NEW dropped NEW dropped NEW forwarded"},
		{pre: "ip saddr != 10.0.0.0/8 drop", packets: []bytes{answer, dns, dns6}, want: "NEW dropped NEW forwarded NEW forwarded"},
		{pre: "ct direction reply drop", packets: []bytes{dns, answer}, want: "NEW forwarded ESTABLISHED dropped"},
		{pre: "iifname \"eth*\" drop", packets: []bytes{dns}, want: "NEW dropped"},
		{pre: "iifname != \"eth0\" drop", packets: []bytes{dns}, want: "NEW forwarded"},
		{pre: "jump u; drop", packets: []bytes{dns, web}, want: "NEW forwarded NEW dropped"},
		{pre: "goto u; drop", packets: []bytes{dns, web}, want: "NEW forwarded NEW forwarded"},
		{pre: "meta nfproto ipv6 reject with icmpv6 type no-route", packets: []bytes{dns, dns6}, want: "NEW forwarded NEW dropped"},
		{pre: "ct mark set 0x12; ct mark set ct mark and 0xf0 or 5", packets: []bytes{dns}, want: "NEW forwarded mark 21"},
		{pre: "ct mark set 3; ct mark & 1 == 1 ct mark set 7", packets: []bytes{dns}, want: "NEW forwarded mark 7"},
		{raw: "ct zone set 9", packets: []bytes{dns}, want: "NEW forwarded zone 9"},
		{raw: "meta l4proto != { tcp, udp } drop", packets: []bytes{dns}, want: "NEW forwarded"},
		{post: "ip saddr 10.0.0.0/8 snat ip to 192.0.2.9", packets: []bytes{dns, dns6}, want: "NEW translated NEW forwarded"},
		{post: "ip saddr 10.0.0.9 snat ip to 192.0.2.9", packets: []bytes{dns}, want: "NEW forwarded"},
		{post: "oifname eth1 masquerade", packets: []bytes{dns}, want: "NEW translated"},
		{post: "goto nat", packets: []bytes{dns, dns6}, want: "NEW translated NEW forwarded"},
		{post: "jump nat; drop", packets: []bytes{dns, web}, want: "NEW translated NEW dropped"},
		{post: "udp dport 53 drop", packets: []bytes{dns, web}, want: "NEW dropped NEW forwarded"},
	} {
		text := fmt.Sprintf(`table inet t {
			chain u { udp dport 53 accept; }
			chain nat { udp dport 53 snat ip to 192.0.2.9; }
			chain raw { type filter hook prerouting priority raw; %s; }
			chain pre { type filter hook prerouting priority 0; %s; }
			chain post { type nat hook postrouting priority srcnat; %s; }
		}`, c.raw, c.pre, c.post)
		rules, err := ruleset.Parse("f", []byte(text), ruleset.Options{})
		if err != nil {
			if c.want != "error" {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		tab := engine.New(engine.Options{Rules: rules, Host: engine.Host{
			Addrs: []engine.Addr{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.0.2.1/24")}},
		}})
		got, v := "", (*engine.Verdict)(nil)
		for i, p := range c.packets {
			v = tab.Track(&engine.Packet{Data: p.Bytes(), Time: time.Unix(int64(i), 0), In: "eth0", Out: "eth1"})
			got += fmt.Sprint(v.State, " ", v.Fate, " ")
		}
		var f ctnetlink.Flow
		if !v.Entry.IsZero() && f.Decode(v.Entry.Append(nil)) == nil {
			if m, _ := f.Mark(); m != 0 {
				got += fmt.Sprint("mark ", m, " ")
			}
			if z, ok := f.Zone(); ok {
				got += fmt.Sprint("zone ", z, " ")
			}
		}
		if got != c.want+" " {
			t.Errorf("raw %q, pre %q, post %q:\n got %s\nwant %s", c.raw, c.pre, c.post, got, c.want)
		}
	}
}

// A policy of ct timeout replaces single timeouts of entries of its protocol.
func TestTimeouts(t *testing.T) {
	rules, err := ruleset.Parse("f", []byte(`table ip t {
		ct timeout quick { protocol udp; policy = { unreplied : 7 } }
		ct helper tftp { type "tftp" protocol udp; }
		chain c { type filter hook prerouting priority 0; ct timeout set "quick"; ct helper set "tftp"; }
	}`), ruleset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tab := engine.New(engine.Options{Rules: rules})
	for _, c := range []struct {
		data []byte
		want uint32
	}{{dns.Bytes(), 7}, {web.Bytes(), 120}} {
		v := tab.Track(&engine.Packet{Data: c.data, Time: time.Unix(0, 0)})
		if got := v.Entry.Timeout(); got != c.want {
			t.Errorf("timeout %d, want %d", got, c.want)
		}
	}
}
