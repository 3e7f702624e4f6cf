package daemon

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// translated puts a connection into the table whose source is translated to what all have,
// and takes away whatever has that.
func translated(t *testing.T, source string) {
	t.Helper()
	conn, err := ctnetlink.Dial()
	if err != nil {
		skip(t, err)
	}
	defer conn.Close()
	server, nat := netip.MustParseAddrPort("198.51.100.7:80"), netip.MustParseAddrPort("192.0.2.1:4001")
	s := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort(source), server))
	s.SetTimeout(3600 * time.Second)
	s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	s.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 3))
	s.SetSrcNAT(ctnetlink.NAT{MinAddr: nat.Addr(), MaxAddr: nat.Addr(), MinPort: nat.Port(), MaxPort: nat.Port()})
	_ = conn.Delete(&ctnetlink.FlowSpec{Orig: ctnetlink.NewTuple(ctnetlink.ProtoTCP, server, nat)})
	if err := conn.Create(s); err != nil {
		t.Error(err)
	}
}

// TestRival commits a connection whose translation another one has: that one stays if the
// node was active before. conntrack-tools' daemon has it stay in any case.
func TestRival(t *testing.T) {
	sides := pair(t, "FTFW { }", [2]bool{})
	a, b := sides[0], sides[1]
	a.in(func() { translated(t, "10.1.0.1:1000") })
	until(t, "1 at the backup", func() bool { return entries(b.do(t, "-e")) == 1 })
	for _, x := range []struct {
		what, says string
		committed  int
	}{
		{"a node that becomes active", "", 1},
		{"an active node", "1 entries can't be committed\n", 0},
	} {
		b.in(func() { translated(t, "10.0.0.2:1000") })
		r := b.do(t, "-c")
		until(t, "in the internal cache what was committed", func() bool { return entries(b.do(t, "-i")) == x.committed })
		if r.stdout != x.says || r.status != 0 {
			t.Errorf("%s: %+v", x.what, r)
		}
	}
}
