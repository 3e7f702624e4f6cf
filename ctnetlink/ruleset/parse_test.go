package ruleset_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink/ruleset"
)

// accepted are rulesets that nft 1.0.6 and this package accept.
var accepted = map[string]string{
	"masquerade": `table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 10.0.0.0/24 oifname "eth0" counter masquerade random
	}
}`,
	"nft list": `table inet filter { # handle 1
	set admins {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8, 192.0.2.1-192.0.2.9,
			     198.51.100.1 }
	}
	ct helper ftp-std {
		type "ftp" protocol tcp
		l3proto ip
	}
	ct timeout short {
		protocol tcp;
		l3proto ip
		policy = { established : 100, close : 4 }
	}
	chain raw {
		type filter hook prerouting priority raw; policy accept;
		iifname "lo" notrack
		ip saddr @admins tcp dport 21 ct zone set 3
		tcp dport { 80, 443, 8000-8100 } counter packets 0 bytes 0
	}
	chain pre {
		type filter hook prerouting priority filter - 10; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop, new : jump fresh }
		tcp dport 21 ct helper set "ftp-std"
		ct timeout set "short"
		ct mark set ct mark or 0x10
		meta l4proto { tcp, udp } th dport 53 ct state new,established ct direction original accept
		tcp flags & (fin | syn | rst | ack) == syn log prefix "syn: " accept
		ip protocol icmp icmp type echo-request accept
		ip6 nexthdr ipv6-icmp icmpv6 type { echo-request, nd-neighbor-solicit } accept
		reject with icmpx type admin-prohibited
	}
	chain fresh {
		ip saddr != 10.0.0.0/8 return
		goto fresh2
	}
	chain fresh2 { counter comment "last"; accept; }
}`,
	"commands": `flush ruleset
add table inet t
add chain inet t c { type filter hook forward priority 0 ; policy drop ; }
add rule inet t c ct state established,related accept
add rule inet t c ct status dnat accept`,
	"dnat": `define web = 10.0.0.80
table inet nat {
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 203.0.113.1 tcp dport 80 dnat ip to $web:8080
		tcp dport 81 dnat ip to 10.0.0.1-10.0.0.9:1000-2000 persistent
		udp dport 53 redirect to :5353
		ip6 daddr 2001:db8::1 tcp dport 443 dnat ip6 to [2001:db8::2]:8443
	}
	chain post {
		type nat hook postrouting priority srcnat
		tcp sport 1-1000 snat ip to 192.0.2.9:2000-2002
		meta nfproto ipv4 udp sport 500 masquerade to :1024-65535
		oif lo snat ip6 to 2001:db8::9 fully-random,persistent
	}
}`,
}

func TestAccepted(t *testing.T) {
	for name, text := range accepted {
		if _, err := ruleset.Parse(name, []byte(text), ruleset.Options{}); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestRefused(t *testing.T) {
	const head, tail = "table inet t {\nchain c {\ntype filter hook prerouting priority 0;\n", "\n}\n}\n"
	const nat = "table ip t {\nchain c {\ntype nat hook prerouting priority 0;\n"
	for _, c := range []struct {
		text, want string
		line       int
	}{
		{head + "tcp dport 99999 accept" + tail, `a port is expected, not "99999"`, 4},
		{head + "limit rate 1/second accept" + tail, `"limit" is not supported here`, 4},
		{head + "accept\nct state gone drop" + tail, `a state is expected, not "gone"`, 5},
		{head + "jump nowhere" + tail, "there is no chain nowhere in the table t", 4},
		{head + "ip saddr 10.0.0.1/33 accept" + tail, "an IPv4 address is expected", 4},
		{head + "ip saddr @x accept" + tail, "there is no set x", 4},
		{head + "snat ip to 10.0.0.1" + tail, "snat needs a chain of type nat", 4},
		{head + "jump d" + tail + "table inet t {\nchain d {\ndnat ip to 10.0.0.1\n}\n}", "dnat needs a chain of type nat, and the chain c leads here", 9},
		{nat + "jump s\n}\nchain s {\nmasquerade" + tail, "masquerade has no place at the hook prerouting", 7},
		{nat + "snat to 10.0.0.1" + tail, "snat has no place at the hook prerouting", 4},
		{nat + "dnat to 2001:db8::1" + tail, "an address of the family of the rule is expected", 4},
		{"table inet t {\nchain a { jump b; }\nchain b { jump a; }\n}", "the jump to a closes a loop", 3},
		{"table inet t {\nchain c {\ntype filter hook prerouting priority -200;\n}\n}", "priority -200 is that of connection tracking", 3},
		{"table inet t {\nct helper h { type \"nothing\" protocol tcp; }\n}", `there is no helper "nothing" for tcp`, 2},
		{"table inet t {\nflowtable f { hook ingress priority 0; }\n}", `"flowtable" is not supported here`, 2},
		{"table bridge t {\n}", "family bridge", 1},
		{"table inet t {\nchain c {", `"}" is expected`, 2},
		{"include \"/etc/x\"", `"include" is not supported here`, 1},
		{"table inet t { chain c { counter \"x", "a quote is not closed", 1},
		{"\xff", "the file is not text", 1},
		{"define a = $a\ntable ip $a { }", "$a is not defined", 1},
	} {
		_, err := ruleset.Parse("f", []byte(c.text), ruleset.Options{})
		var e *ruleset.Error
		if !errors.As(err, &e) {
			if c.want != "" {
				t.Errorf("%s: %v, want an error", c.text, err)
			}
			continue
		}
		if !strings.Contains(e.Text, c.want) || e.Line != c.line {
			t.Errorf("%q:\n got %v\nwant f:%d: %s", c.text, err, c.line, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range accepted {
		f.Add(text)
	}
	f.Add("define a = { $a, $a }\ndefine b = $a\ntable ip t { chain c { type filter hook input priority $b; } }")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ruleset.Parse("f", []byte(text), ruleset.Options{})
		if (r == nil) == (err == nil) {
			t.Fatal(r, err)
		}
	})
}

func ExampleParse() {
	_, err := ruleset.Parse("nat.nft", []byte("table ip nat {\n\tchain c {\n\t\tlimit rate 5/second\n\t}\n}\n"), ruleset.Options{})
	fmt.Println(err)
	// Output: nat.nft:3: "limit" is not supported here
}
