package engine

import "testing"

func TestSysctls(t *testing.T) {
	s := DefaultSysctls()
	for _, c := range []struct {
		name, value string
		known, ok   bool
	}{
		{"tcp_loose", "0", true, true},
		{"nf_conntrack_tcp_loose", "1", true, true},
		{"net.netfilter.nf_conntrack_tcp_timeout_syn_sent", "7", true, true},
		{"net/netfilter/nf_conntrack_sctp_timeout_heartbeat_sent", "8", true, true},
		{"net.ipv4.ipfrag_time", "9", true, true},
		{"tcp_loose", "2", true, false},
		{"tcp_max_retrans", "256", true, false},
		{"udp_timeout", "-1", true, false},
		{"udp_timeout", "x", true, false},
		{"tcp_timeout_", "1", false, true},
		{"tcp_timeout_closed", "1", false, true},
		{"max", "1", false, true},
	} {
		if known, err := s.Set(c.name, c.value); known != c.known || (err == nil) != c.ok {
			t.Errorf("%s=%s: %v, %v", c.name, c.value, known, err)
		}
	}
	want := DefaultSysctls()
	want.TCP[1], want.SCTP[8], want.FragTime = 7, 8, 9
	if s != want {
		t.Errorf("got %+v\nwant %+v", s, want)
	}
}
