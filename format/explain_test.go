package format

import (
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

func TestExplain(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.UTC
	e := &Explanation{Now: time.Unix(1795237081, 0), LabelNames: []string{"web"}}
	const hour = uint64(3600 * 1e9)
	start := uint64(1795237081 * 1e9)

	for _, g := range []struct {
		name string
		msg  []byte
		want string
	}{
		{"a translated connection with everything", v4(
			nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(6, 57886, 8080)),
			nest(2, addrs("10.0.0.8", "192.0.2.1"), ports(6, 80, 1024)),
			status(stNAT|stSeen|stAssured|1<<4|1<<5), timeout(119), tcpState(7), mark(77), zone(5), id(9), started(start-26*hour),
			counters(9, 7, 450), counters(10, 1, 458), helper("ftp"), labels(0, 9), secctx("a:b")),
			`TCP connection from 10.0.0.2:57886 to 192.0.2.1:8080

Opened      by 10.0.0.2, 1 day 2 hours ago (Fri Nov 20 02:58:01 2026)
Translated  the source 10.0.0.2:57886 becomes 192.0.2.1:1024, the destination
            192.0.2.1:8080 becomes 10.0.0.8:80; packets arrive at 10.0.0.8:80
            from 192.0.2.1:1024, and replies are translated back
State       TIME_WAIT: both sides have closed, and that was acknowledged; it
            remains for late packets; a new SYN with the same ports reopens it
Ends        in 1 minute 59 seconds; it is closing: a nearly full table may
            drop it, though it is assured
Flags       SEEN_REPLY    packets were seen in both directions
            ASSURED       kept when the table is full
            CONFIRMED     it is in the table
            SRC_NAT       its source is translated
            DST_NAT       its destination is translated
            SRC_NAT_DONE  source translation has been decided
            DST_NAT_DONE  destination translation has been decided
Traffic     7 packets (450 bytes) from the opener, 1 (458 bytes) back
Helper      ftp: it reads PORT and PASV commands and expects the data
            connections
Mark        77 (0x4d)
Labels      web; bit 9, which has no name
Zone        5: entries of other zones may have the same addresses and ports
Security    a:b
Id          9
`},
		{"an assured IPv6 stream", v6(both(17, "fd00::1", "fd00::2", 1, 53), status(stPlain|stSeen|stAssured), timeout(100), started(start)),
			`UDP flow from [fd00::1]:1 to [fd00::2]:53

Opened      by fd00::1, just now (Sat Nov 21 04:58:01 2026)
Translated  nothing: the replies are the original reversed
State       packets flow in both directions; UDP has no states
Seen        it was assured by a packet more than 2 seconds after its first
            one, or by a request
Ends        in 1 minute 40 seconds without packets: each packet resets the
            timeout, by default to 2 minutes (nf_conntrack_udp_timeout_stream)
Flags       SEEN_REPLY  packets were seen in both directions
            ASSURED     kept when the table is full
            CONFIRMED   it is in the table
Traffic     not counted (nf_conntrack_acct was 0)
`},
		{"an expected connection, its time fixed", v4(both(6, "10.0.0.2", "192.0.2.1", 20, 1024), status(stPlain|stExpected|stFixed), timeout(0), tcpState(1),
			nest(14, addrs("192.0.2.1", "10.0.0.2"), ports(6, 5, 21))),
			`TCP connection from 10.0.0.2:20 to 192.0.2.1:1024

Opened      by 10.0.0.2; the start time was not recorded
            (nf_conntrack_timestamp was 0); it was expected by the TCP
            connection from 192.0.2.1:5 to 10.0.0.2:21
Translated  nothing: the replies are the original reversed
State       SYN_SENT: a SYN was seen, and no answer yet; a SYN/ACK makes it
            SYN_RECV; a RST in answer ends it at once
Seen        nothing has come back; a SYN that is repeated does not count, and
            leaves the timeout alone
Ends        in 0 seconds, with or without packets: its timeout is fixed; it is
            not assured: a full table may drop it
Flags       EXPECTED       a helper expected it; rules see it as related
            CONFIRMED      it is in the table
            FIXED_TIMEOUT  packets do not reset its timeout
Traffic     not counted (nf_conntrack_acct was 0)
`},
		{"a query whose id is translated", v4(
			nest(1, addrs("10.0.0.2", "192.0.2.1"), query(1, 8, 0, 7)), nest(2, addrs("192.0.2.1", "10.0.0.1"), query(1, 0, 0, 9)),
			status(stNAT|stSeen), timeout(29)),
			`ICMP query from 10.0.0.2 to 192.0.2.1

Opened      by 10.0.0.2 with an echo request (ping), id 7; the start time was
            not recorded (nf_conntrack_timestamp was 0)
Translated  the source 10.0.0.2 (id 7) becomes 10.0.0.1 (id 9); packets arrive
            at 192.0.2.1 from 10.0.0.1, and replies are translated back
State       packets were seen in both directions; ICMP has no states
Ends        in 29 seconds without packets: each packet resets the timeout, by
            default to 30 seconds (nf_conntrack_icmp_timeout); it is not
            assured: a full table may drop it
Flags       SEEN_REPLY    packets were seen in both directions
            CONFIRMED     it is in the table
            SRC_NAT_DONE  source translation has been decided
            DST_NAT_DONE  destination translation has been decided
Traffic     not counted (nf_conntrack_acct was 0)
`},
		{"an offloaded connection, without timeout and state", v4(both(6, "10.0.0.2", "192.0.2.1", 1, 2), status(stPlain|stSeen|stAssured|1<<14)),
			`TCP connection from 10.0.0.2:1 to 192.0.2.1:2

Opened      by 10.0.0.2; the start time was not recorded
            (nf_conntrack_timestamp was 0)
Translated  nothing: the replies are the original reversed
State       packets flow in both directions
Ends        not while its packets are offloaded; when they stop, it returns
            and its timeout runs
Flags       SEEN_REPLY  packets were seen in both directions
            ASSURED     kept when the table is full
            CONFIRMED   it is in the table
            OFFLOAD     a flow table forwards its packets, past the rules
Traffic     not counted (nf_conntrack_acct was 0)
`},
		{"tuples alone", v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(200)), nest(2, addrs("5.6.7.8", "4.4.4.4"), number(200))),
			`Traffic of protocol 200 from 1.2.3.4 to 5.6.7.8

Opened      by 1.2.3.4; the start time was not recorded
            (nf_conntrack_timestamp was 0)
Translated  nothing according to its status, but replies are expected from
            5.6.7.8 to 4.4.4.4
Traffic     not counted (nf_conntrack_acct was 0)
`},
		{"nothing at all", v4(), `Traffic of an unknown protocol; the table sent no addresses

Opened      the start time was not recorded (nf_conntrack_timestamp was 0)
Traffic     not counted (nf_conntrack_acct was 0)
`},
		{"keys, direction zones, a state without words", v4(
			nest(1, addrs("1.2.3.4", "5.6.7.8"), ports(47, 1, 0x20), tupleZone(3)), nest(2, addrs("5.6.7.8", "1.2.3.4"), ports(47, 0x20, 1)),
			status(stPlain|stSeen), timeout(1), mark(3), helper("x\n")),
			`GRE tunnel from 1.2.3.4 to 5.6.7.8

Opened      by 1.2.3.4 with key 0x1, and 0x20 of the other side; the start
            time was not recorded (nf_conntrack_timestamp was 0)
Translated  nothing: the replies are the original reversed
State       packets were seen in both directions; GRE has no states
Seen        a packet after the first reply assures it, with the longer timeout
            nf_conntrack_gre_timeout_stream
Ends        in 1 second without packets: each packet resets the timeout, by
            default to 30 seconds (nf_conntrack_gre_timeout); it is not
            assured: a full table may drop it
Flags       SEEN_REPLY  packets were seen in both directions
            CONFIRMED   it is in the table
Traffic     not counted (nf_conntrack_acct was 0)
Helper      x\x0a: it inspects the packets and expects related connections
Mark        3
Zone        3 for the original direction only: entries of other zones may have
            the same addresses and ports there
`},
		{"sctp and its tags", v4(both(132, "1.2.3.4", "5.6.7.8", 1, 2), status(stPlain|stSeen|stAssured), timeout(4000), sctpState(4, 6, 7)),
			`SCTP association from 1.2.3.4:1 to 5.6.7.8:2

Opened      by 1.2.3.4; the start time was not recorded
            (nf_conntrack_timestamp was 0)
Translated  nothing: the replies are the original reversed
State       ESTABLISHED: the handshake is done; both sides may send; a
            SHUTDOWN of either side begins to close it, an ABORT closes it
Seen        packets of the opener must have tag 6, packets of the other side
            must have tag 7
Ends        in 1 hour 6 minutes without packets: each packet resets the
            timeout, by default to 3 minutes 30 seconds
            (nf_conntrack_sctp_timeout_established)
Flags       SEEN_REPLY  packets were seen in both directions
            ASSURED     kept when the table is full
            CONFIRMED   it is in the table
Traffic     not counted (nf_conntrack_acct was 0)
`},
	} {
		t.Run(g.name, func(t *testing.T) {
			if got := string(AppendExplanation([]byte("before\n"), flow(t, g.msg), e)); got != "before\n"+g.want {
				t.Errorf("got\n%s\nwant\n%s", got, g.want)
			}
		})
	}
}

// TestExplainAll: there are words for every state, flag, protocol and query.
func TestExplainAll(t *testing.T) {
	for _, proto := range []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoSCTP, ctnetlink.ProtoDCCP} {
		names, words := proto.StateNames(), statesOf(proto)
		if len(names) != len(words) {
			t.Fatalf("protocol %d: %d states, words for %d", proto, len(names), len(words))
		}
		for i, w := range words {
			if w.meaning == "" || w.idle.seconds != 0 && w.next == "" {
				t.Errorf("%s has no words", names[i])
			}
			if w.renewed && w.idle.setting == "" {
				t.Errorf("%s: renewed to what?", names[i])
			}
		}
	}
	for bit := range 16 {
		found := 0
		for _, w := range flagWords {
			if w.flag == 1<<bit && w.name != "" && w.meaning != "" {
				found++
			}
		}
		if found != 1 {
			t.Errorf("status bit %d has %d names", bit, found)
		}
	}
	for n := range 256 {
		proto := ctnetlink.Protocol(n)
		w := protocolWords(proto)
		if w.name == "" || w.what == "" || (w.idle.setting == "") != (statesOf(proto) != nil && proto != ctnetlink.ProtoDCCP) {
			t.Errorf("protocol %d: %+v", n, w)
		}
	}
	// Whatever of it is there, lines are no wider than promised, and whole.
	for _, msg := range dumped {
		text := string(AppendExplanation(nil, flow(t, msg), nil))
		for line := range strings.Lines(text) {
			if len(strings.TrimSuffix(line, "\n")) > explainWidth || strings.TrimRight(line, " \n")+"\n" != line {
				t.Errorf("%q of\n%s", line, text)
			}
		}
		text = string(AppendExplanation(nil, flow(t, msg), &Explanation{Width: 40}))
		for line := range strings.Lines(text) {
			if len(line)-1 > 40 && len(strings.Fields(line)) > 1 {
				t.Errorf("40 columns: %q of\n%s", line, text)
			}
		}
	}
}
