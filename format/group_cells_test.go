package format

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/stats"
)

// askedNames has the name of one address.
type askedNames struct {
	wanted []netip.Addr
}

func (n *askedNames) Want(a netip.Addr) { n.wanted = append(n.wanted, a) }
func (n *askedNames) Wait()             { panic("a screen does not wait") }
func (n *askedNames) Name(a netip.Addr) string {
	if a == netip.MustParseAddr("192.0.2.1") {
		return "a\x1bhost"
	}
	return ""
}

// TestGroupCells: the values of groups, with names and without.
func TestGroupCells(t *testing.T) {
	names := []string{"src", "dst/24", "proto", "dport", "helper", "start", "mark", "bytes"}
	kinds := []Kind{KindAddr, KindWord, KindWord, KindNumber, KindName, KindTime, KindNumber, KindBytes}
	a := netip.MustParseAddr("192.0.2.1")
	var b []byte
	b = stats.AppendNetwork(stats.AppendAddr(b, a), a, 24)
	b = stats.AppendNumber(stats.AppendText(b, []byte("tcp")), 443)
	b = stats.AppendNumber(stats.AppendText(b, []byte("f\ntp")), 0)
	b = stats.AppendNumber(stats.AppendAbsent(b), 2048)
	g := &stats.Group{Values: stats.Values(b)}
	plain := []string{"192.0.2.1", "192.0.2.0/24", "tcp", "443", `f\x0atp`, localTime(0).Format("2006-01-02 15:04:05"), "-", "2.0K"}
	if got := GroupCells(&Options{}, names, kinds, g); !slices.Equal(got, plain) {
		t.Errorf("%q, want %q", got, plain)
	}
	asked := &askedNames{}
	o := Options{HostNames: asked, ServiceName: func(p ctnetlink.Protocol, port uint16) string {
		if p != ctnetlink.ProtoTCP || port != 443 {
			t.Errorf("port %d of protocol %d", port, p)
		}
		return "ht\x9bps"
	}}
	named := slices.Clone(plain)
	named[0], named[3] = `a\x1bhost`, `ht\x9bps`
	if got := GroupCells(&o, names, kinds, g); !slices.Equal(got, named) || !slices.Equal(asked.wanted, []netip.Addr{a}) {
		t.Errorf("%q, want %q, asked for %v", got, named, asked.wanted)
	}
	const want = `src=192.0.2.1 dst/24=192.0.2.0/24 proto=tcp dport=443 helper=f\x0atp ` +
		`start=1970-01-01T00:00:00.000000000Z mark=- bytes=2048`
	if got := string(AppendGroup(nil, names, kinds, g.Values)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
