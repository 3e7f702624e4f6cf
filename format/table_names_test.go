package format

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// someNames are host names, one of them as a hostile server may answer.
type someNames struct{ wanted map[netip.Addr]bool }

func (n *someNames) Want(a netip.Addr) { n.wanted[a] = true }

func (n *someNames) Wait() {}

func (n *someNames) Name(a netip.Addr) string {
	if !n.wanted[a] {
		return ""
	}
	return map[string]string{"10.0.0.3": "evil\x1b[2J", "192.0.2.53": "dns.example", "2001:db8::1": "six.example",
		"10.0.0.5": "esp.example"}[a.String()]
}

// TestTableHostNames: names are in place of addresses, with or without a port, and
// are printable.
func TestTableHostNames(t *testing.T) {
	o := Options{HostNames: &someNames{map[netip.Addr]bool{}}, ServiceName: func(p ctnetlink.Protocol, port uint16) string {
		return map[uint16]string{53: "domain", 443: "https\x07"}[port]
	}}
	for _, name := range []string{"source", "destination", "reply_src", "sport", "dport"} {
		o.Columns = append(o.Columns, FieldByName(name))
	}
	want := `SOURCE               DESTINATION             REPLY SRC   SPORT      DPORT
10.0.0.2:40296       192.0.2.1:8080          192.0.2.2   40296       8080
evil\x1b[2J:5353     dns.example:domain      dns.example  5353     domain
six.example:50000    [2001:db8::2]:https\x07 2001:db8::2 50000  https\x07
10.0.0.4             192.0.2.7               192.0.2.7
esp.example          192.0.2.8               192.0.2.8
`
	squeeze := func(s string) string {
		var lines []string
		for line := range strings.Lines(s) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		return strings.Join(lines, "\n")
	}
	if got := drawTable(t, o, tableEntries()); squeeze(got) != squeeze(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
