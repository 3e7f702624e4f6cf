package format

import (
	"strings"
	"testing"
	"time"
)

// TestExplainSeen: what the packets did to an entry. The entries are as Linux 6.18
// sends them after the packets that name the case (o: original, r: reply).
func TestExplainSeen(t *testing.T) {
	const now = 1795237081
	settings := map[string]uint64{
		"nf_conntrack_tcp_timeout_syn_sent": 120, "nf_conntrack_tcp_timeout_established": 432000,
		"nf_conntrack_tcp_timeout_unacknowledged": 300, "nf_conntrack_tcp_timeout_max_retrans": 300,
		"nf_conntrack_tcp_timeout_close": 10, "nf_conntrack_tcp_timeout_fin_wait": 120,
		"nf_conntrack_udp_timeout": 30, "nf_conntrack_udp_timeout_stream": 180,
	}
	e := &Explanation{Now: time.Unix(now, 0), Sysctl: func(name string) (uint64, bool) {
		v, ok := settings[name]
		return v, ok
	}}
	tcp := both(6, "10.0.0.2", "192.0.2.2", 1, 80)
	udp := both(17, "10.0.0.2", "192.0.2.2", 1, 53)
	info := func(state, orig, reply byte, scale ...byte) []byte {
		b := [][]byte{u8(1, state)}
		if scale != nil {
			b = append(b, u8(2, scale[0]), u8(3, scale[1]))
		}
		b = append(b, attr(4, orig, 0), attr(5, reply, 0))
		return nest(4, nest(1, b...))
	}
	began := func(seconds uint64) []byte { return started((now - seconds) * 1e9) }
	const assured = stPlain | stSeen | stAssured
	const ack = "it was assured by the ACK that ended the handshake, or by a request"
	const picked = "its beginning was not seen: it was picked up in the middle, or made by a request; " +
		"any sequence numbers pass until a SYN/ACK"
	const unless = ", if not by a request or a timeout policy"

	for _, g := range []struct {
		name          string
		msg           []byte
		seen, timeout string
	}{
		{"oS oS, 2 seconds ago", v4(tcp, status(stPlain), timeout(117), info(1, 3, 0, 7, 0), counters(9, 1, 48), counters(10, 0, 0), began(2)),
			"1 packet of the opener counted, and nothing has come back in 2 seconds; a SYN that is repeated does not count, " +
				"and leaves the timeout alone; its SYN offers to scale windows by 2^7; its SYN permits SACK",
			"set by nf_conntrack_tcp_timeout_syn_sent (2 minutes) 2 seconds ago" + unless},
		{"oS rSA oA, options of one side", v4(tcp, status(assured), timeout(431999), info(3, 0x20, 0x23, 0, 0), began(0)),
			"only the other side offered window scaling: windows are not scaled; only the other side permits SACK; " + ack,
			"set by nf_conntrack_tcp_timeout_established (5 days) just now" + unless},
		{"oS rSA oA, options of both", v4(tcp, status(assured), timeout(431990), info(3, 0x23, 0x23, 7, 8)),
			"windows are scaled by 2^7 for the opener, by 2^8 for the other side; both sides permit SACK; " + ack,
			"set by nf_conntrack_tcp_timeout_established (5 days) 9 seconds ago" + unless},
		{"oS rSA oA, data of o", v4(tcp, status(assured), timeout(298), info(3, 0x30, 0x20), began(5)),
			ack + "; the opener has sent more than the other side has acknowledged",
			"set by nf_conntrack_tcp_timeout_unacknowledged (5 minutes) 1 second ago, as something is not acknowledged, " +
				"or by nf_conntrack_tcp_timeout_max_retrans, as an ACK was repeated, or the last window was 0" + unless},
		{"oS rSA oA, a RST beyond the next number", v4(tcp, status(assured), timeout(8), info(3, 0x20, 0x20), began(5)), ack,
			"set by nf_conntrack_tcp_timeout_close (10 seconds) 1 second ago, " +
				"as a RST came whose number was not exactly the next" + unless},
		{"the same, of unknown age", v4(tcp, status(assured), timeout(8), info(3, 0x20, 0x20)), ack,
			"set by one of: nf_conntrack_tcp_timeout_established (5 days) 4 days 23 hours ago; " +
				"nf_conntrack_tcp_timeout_max_retrans (5 minutes) 4 minutes 51 seconds ago, as an ACK was repeated, " +
				"or the last window was 0; nf_conntrack_tcp_timeout_close (10 seconds) 1 second ago, " +
				"as a RST came whose number was not exactly the next (if not by a request or a timeout policy)"},
		{"oA rA: picked up", v4(tcp, status(stPlain|stSeen), timeout(299), info(3, 0x0a, 0x2a), began(1)),
			picked + "; it is assured by the next packet that counts; no ACK of the opener was recorded",
			"set by nf_conntrack_tcp_timeout_unacknowledged (5 minutes) just now, as it had no reply before that packet, " +
				"or by nf_conntrack_tcp_timeout_max_retrans, as an ACK was repeated, or the last window was 0" + unless},
		{"made by a request", v4(tcp, status(stPlain|stSeen), timeout(99999), info(7, 0x0e, 0x0e)),
			picked + "; no ACK of either side was recorded", ""},
		{"made by a request in SYN_SENT", v4(tcp, status(stPlain|stSeen), timeout(999), info(1, 0x0a, 0x0a)),
			"a request made it: any sequence numbers pass until a SYN/ACK",
			"no setting for this state fits: a request, a helper, a timeout policy or an older setting has set it"},
		{"oS rSA oA rFA", v4(tcp, status(assured), timeout(100), info(4, 0x20, 0x34), began(600)),
			ack + "; the other side closed first, with a FIN; the other side has sent more than the opener has acknowledged",
			"set by nf_conntrack_tcp_timeout_fin_wait (2 minutes) 19 seconds ago" + unless},
		{"oS rSA oA oFA rA oR", v4(tcp, status(assured), timeout(9), info(8, 0x24, 0x20)),
			ack + "; the opener closed first, with a FIN, and a RST followed",
			"set by nf_conntrack_tcp_timeout_close (10 seconds) just now" + unless},
		{"UDP, o r", v4(udp, status(stPlain|stSeen), timeout(20)),
			"a packet more than 2 seconds after its first one assures it, with the longer timeout nf_conntrack_udp_timeout_stream",
			"set by nf_conntrack_udp_timeout (30 seconds) 9 seconds ago" + unless},
		{"UDP, assured, its time fixed", v4(udp, status(assured|stFixed), timeout(20)),
			"it was assured by a packet more than 2 seconds after its first one, or by a request", ""},
		{"SCTP, an INIT", v4(both(132, "10.0.0.2", "192.0.2.2", 1, 2), status(stPlain), timeout(9), sctpState(1, 0, 7)),
			"nothing has come back; no tag is known yet for packets of the opener, packets of the other side must have tag 7", ""},
		{"a helper has changed lengths", v4(tcp, status(assured|1<<6), info(3, 0x20, 0x20),
			nest(15, u32(1, 9), u32(2, 0), u32(3, 3)), nest(16, u32(1, 9), u32(2, 0), u32(3, 0xffffffff))),
			ack + "; a helper has made the data of the opener 3 bytes longer; " +
				"a helper has made the data of the other side 1 byte shorter", ""},
	} {
		t.Run(g.name, func(t *testing.T) {
			got := map[string]string{}
			name := ""
			for line := range strings.Lines(string(AppendExplanation(nil, flow(t, g.msg), e))) {
				if len(line) > explainIndent && line[0] != ' ' {
					name = strings.TrimSpace(line[:explainIndent])
				}
				if len(line) > explainIndent {
					got[name] = strings.TrimSpace(got[name] + " " + strings.TrimSpace(line[explainIndent:]))
				}
			}
			if got["Seen"] != g.seen {
				t.Errorf("seen\n%s\nwant\n%s", got["Seen"], g.seen)
			}
			if got["Timeout"] != g.timeout {
				t.Errorf("timeout\n%s\nwant\n%s", got["Timeout"], g.timeout)
			}
		})
	}
}
