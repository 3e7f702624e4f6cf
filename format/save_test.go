package format

import (
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

func TestSave(t *testing.T) {
	const nat = stNAT | stSeen
	// translated returns an entry's tuples with the reply that a translation
	// makes of it.
	translated := func(proto ctnetlink.Protocol, src string, sport uint16, dst string, dport uint16) []byte {
		return join(
			nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(proto, 1024, 8080)),
			nest(2, addrs(dst, src), ports(proto, dport, sport)))
	}
	plain := func(proto ctnetlink.Protocol) []byte { return translated(proto, "10.0.0.2", 1024, "192.0.2.1", 8080) }
	const tail = " -p udp --sport 1024 --dport 8080"

	for _, g := range []golden{
		{name: "listed",
			msg:  v4(plain(6), status(stPlain|stSeen|stAssured), mark(7), id(1), use(1), timeout(119), tcpState(3)),
			want: "-A -t 119 -u SEEN_REPLY,ASSURED -m 7 -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p tcp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state ESTABLISHED"},
		{name: "no mark, no flags",
			msg:  v4(plain(17), status(stPlain), mark(0), timeout(9)),
			want: "-A -t 9 -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "expected by another, which cannot be restored",
			msg:  v4(plain(17), status(stPlain|stExpected), timeout(9)),
			want: "-A -t 9 -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "all flags",
			msg:  v4(plain(17), status(0xffff), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY,ASSURED,FIXED_TIMEOUT -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "zones",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99), tupleZone(4)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(99)),
				zone(3), status(stPlain), timeout(9)),
			want: "-A -t 9 -u UNSET -w 3 --orig-zone 4 -s 1.2.3.4 -d 5.6.7.8 -r 5.6.7.8 -q 1.2.3.4 -p 99"},
		{name: "zone of the reply",
			msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(99), tupleZone(5)),
				status(stPlain), timeout(9)),
			want: "-A -t 9 -u UNSET --reply-zone 5 -s 1.2.3.4 -d 5.6.7.8 -r 5.6.7.8 -q 1.2.3.4 -p 99"},

		// What happened decides the command, unless the caller does.
		{name: "new", msg: v4(plain(17), timeout(9)), ctx: Context{Event: EventNew, PortID: 7, Program: "x\n-F"},
			want: "-A -t 9 -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "update", msg: v4(plain(6), timeout(9), status(stPlain), tcpState(7)), ctx: Context{Event: EventUpdate},
			want: "-U -t 9 -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p tcp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state TIME_WAIT"},
		{name: "destruction, which has no timeout", msg: v4(plain(6), status(stPlain)), ctx: Context{Event: EventDestroy},
			want: "-D -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p tcp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "resynchronisation", msg: v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99)), timeout(9)), ctx: Context{Event: EventResync},
			want: "-A -t 9 -s 1.2.3.4 -d 5.6.7.8 -p 99"},
		{name: "deleted", msg: v4(plain(17), status(stPlain), timeout(100), mark(3), u32(17, 6), labels(0)), ctx: Context{Verb: 'D'},
			opts: Options{LabelNames: []string{"web"}},
			want: "-D -t 100 -u UNSET -m 3 -c 6 -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},

		// Labels.
		{name: "labels", msg: v4(plain(17), status(stPlain), timeout(9), mark(1), labels(0, 2)),
			opts: Options{LabelNames: []string{"web", "", "ftp-data"}},
			want: "-A -t 9 -u UNSET -m 1 --label-add web,ftp-data -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "label with a blank", msg: v4(plain(17), status(stPlain), timeout(9), labels(0, 2)),
			opts: Options{LabelNames: []string{"web", "", "two words"}},
			want: `-A -t 9 -u UNSET --label-add "web,two words" -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2` + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "labels without names, or with names of no label map", msg: v4(plain(17), timeout(9), labels(0, 1, 2, 3, 127)),
			opts: Options{LabelNames: []string{"", "a,b", "a\"b", "a\n-F"}},
			want: "-A -t 9 -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},

		// Translations.
		{name: "source", msg: v4(translated(17, "203.0.113.1", 1024, "192.0.2.1", 8080), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -n 203.0.113.1" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "source and its port", msg: v4(translated(17, "203.0.113.1", 5, "192.0.2.1", 8080), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -n 203.0.113.1:5" + tail + " --reply-port-src 8080 --reply-port-dst 5"},
		{name: "source port alone", msg: v4(translated(17, "10.0.0.2", 5, "192.0.2.1", 8080), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -n 10.0.0.2:5" + tail + " --reply-port-src 8080 --reply-port-dst 5"},
		{name: "destination", msg: v4(translated(17, "10.0.0.2", 1024, "10.9.9.9", 8080), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -g 10.9.9.9 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "destination and its port", msg: v4(translated(17, "10.0.0.2", 1024, "10.9.9.9", 80), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -g 10.9.9.9:80 -q 10.0.0.2" + tail + " --reply-port-src 80 --reply-port-dst 1024"},
		{name: "destination port alone", msg: v4(translated(17, "10.0.0.2", 1024, "192.0.2.1", 80), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -g 192.0.2.1:80 -q 10.0.0.2" + tail + " --reply-port-src 80 --reply-port-dst 1024"},
		{name: "both, one with its port", msg: v4(translated(17, "203.0.113.1", 1024, "10.9.9.9", 80), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -g 10.9.9.9:80 -n 203.0.113.1" + tail + " --reply-port-src 80 --reply-port-dst 1024"},
		{name: "hooks passed, nothing translated", msg: v4(plain(17), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2" + tail + " --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "another reply without translation", msg: v4(translated(17, "203.0.113.1", 5, "10.9.9.9", 80), status(stPlain), timeout(9)),
			want: "-A -t 9 -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 10.9.9.9 -q 203.0.113.1" + tail + " --reply-port-src 80 --reply-port-dst 5"},
		{name: "IPv6", msg: v6(nest(1, addrs("fd00::1", "fd00::2"), ports(17, 1, 2)), nest(2, addrs("fd00::3", "fd00::4"), ports(17, 2, 9)), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s fd00::1 -d fd00::2 -g fd00::3 -n [fd00::4]:9 -p udp --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 9"},
		{name: "id of a query", msg: v4(nest(1, addrs("1.1.1.1", "2.2.2.2"), query(1, 8, 0, 77)), nest(2, addrs("2.2.2.2", "3.3.3.3"), query(1, 0, 0, 55)), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -n 3.3.3.3:55 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77"},
		{name: "id of a query alone", msg: v6(nest(1, addrs("fd00::1", "fd00::2"), query(58, 128, 0, 77)), nest(2, addrs("fd00::2", "fd00::1"), query(58, 129, 0, 55)), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s fd00::1 -d fd00::2 -r fd00::2 -n [fd00::1]:55 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77"},
		{name: "untranslated query", msg: v4(nest(1, addrs("1.1.1.1", "2.2.2.2"), query(1, 8, 0, 77)), nest(2, addrs("2.2.2.2", "1.1.1.1"), query(1, 0, 0, 77)), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77"},
		{name: "keys of gre are no ports", msg: v4(translated(47, "10.0.0.2", 5, "10.9.9.9", 8080), status(nat), timeout(9)),
			want: "-A -t 9 -u SEEN_REPLY -s 10.0.0.2 -d 192.0.2.1 -g 10.9.9.9 -q 10.0.0.2 -p gre --srckey 1024 --dstkey 8080 --reply-key-src 8080 --reply-key-dst 5"},

		// Protocols.
		{name: "sctp", msg: v4(plain(132), status(stPlain), timeout(9), sctpState(8, 1, 4294967295)),
			want: "-A -t 9 -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p sctp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state HEARTBEAT_SENT --orig-vtag 1 --reply-vtag 4294967295"},
		{name: "sctp gone", msg: v4(plain(132), status(stPlain), nest(4, nest(3, u8(1, 4)))), ctx: Context{Event: EventDestroy},
			want: "-D -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p sctp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state ESTABLISHED"},
		{name: "sctp with nothing of its own", msg: v4(plain(132), status(stPlain), timeout(9)),
			want: "-A -t 9 -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p sctp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state NONE --orig-vtag 0 --reply-vtag 0"},
		{name: "dccp", msg: v4(plain(33), status(stPlain), timeout(9), dccpState(9, 1)),
			want: "-A -t 9 -u UNSET -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p dccp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state INVALID --role server"},
		{name: "dccp of a kernel that does not know it", msg: v4(nest(1, addrs("1.1.1.1", "2.2.2.2"), number(33)), nest(2, addrs("2.2.2.2", "1.1.1.1"), number(33)), status(stPlain), timeout(9)),
			want: "-A -t 9 -u UNSET -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p dccp --sport 0 --dport 0 --reply-port-src 0 --reply-port-dst 0 --state NONE --role client"},
		{name: "and to delete it", msg: v4(nest(1, addrs("1.1.1.1", "2.2.2.2"), number(33)), nest(2, addrs("2.2.2.2", "1.1.1.1"), number(33)), status(stPlain), timeout(9)), ctx: Context{Verb: 'D'},
			want: "-D -t 9 -u UNSET -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p dccp"},
		{name: "udplite", msg: v4(plain(136), timeout(9)),
			want: "-A -t 9 -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p udplite --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024"},
		{name: "state without a name", msg: v4(plain(6), timeout(9), tcpState(77)),
			want: "-A -t 9 -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p tcp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state NONE"},
		{name: "offloaded: timeout and state are not sent", msg: v4(plain(6), status(0x400e)),
			want: "-A -t 86400 -u SEEN_REPLY,ASSURED -s 10.0.0.2 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.0.2 -p tcp --sport 1024 --dport 8080 --reply-port-src 8080 --reply-port-dst 1024 --state ESTABLISHED"},
		{name: "no reply tuple", msg: v4(nest(1, addrs("1.1.1.1", "2.2.2.2"), ports(17, 1, 2)), timeout(9)),
			want: "-A -t 9 -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2"},
		{name: "nothing", msg: v4(), ctx: Context{Verb: 'D'}, want: "# an entry without addresses"},
	} {
		g.check(t, StyleSave)
	}
}
