package format

import (
	"encoding/csv"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// somePackets are packets with every value that they can have.
func somePackets() []Packet {
	addr := netip.MustParseAddr
	tcp := &ctnetlink.Tuple{
		Has:   ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts,
		Proto: ctnetlink.ProtoTCP, Src: addr("10.0.0.2"), Dst: addr("192.0.2.1"), SrcPort: 4000, DstPort: 80,
	}
	left := *tcp
	left.Src, left.SrcPort = addr("198.51.100.1"), 61000
	echo := &ctnetlink.Tuple{
		Has:   ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldICMP,
		Proto: ctnetlink.ProtoICMPv6, Src: addr("2001:db8::1"), Dst: addr("2001:db8::2"), ICMPType: 128, ICMPID: 7,
	}
	gre := &ctnetlink.Tuple{
		Has:   ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts,
		Proto: ctnetlink.ProtoGRE, Src: addr("10.0.0.2"), Dst: addr("192.0.2.1"), DstPort: 9,
	}
	at := time.Date(2026, 1, 2, 14, 3, 0, 20_000_000, time.UTC)
	none := &ctnetlink.Tuple{}
	return []Packet{
		{Number: 1, File: "a b.pcap", Interface: "eth0", Time: at, Verdict: "NEW", Direction: "original", Leaves: "translated",
			After: ctnetlink.TCPSynSent, Entry: true, Timeout: 120, Tuple: tcp, Own: tcp, Left: &left},
		{Number: 2, Time: at, Verdict: "ESTABLISHED", Direction: "reply", Leaves: "forwarded",
			Before: ctnetlink.TCPSynSent, After: ctnetlink.TCPSynRecv, Entry: true, Timeout: 60, Tuple: tcp, Own: tcp},
		{Number: 3, Time: at, Verdict: "INVALID", Reason: []byte(`SEQ is "far", 7 bytes`), Name: "tcp-seq-over",
			Kernel: []byte("SEQ is over upper bound 1"), Leaves: "dropped", Dropped: "dropped-by-rule", Tuple: tcp, Own: tcp},
		{Number: 1000000, Time: at, Verdict: "NONE", Reason: []byte("ARP"), Name: "not-ip", Tuple: none, Own: none},
		{Number: 5, Time: at, Verdict: "NEW", Direction: "original", Leaves: "delivered", Tuple: echo, Own: echo},
		{Number: 6, Time: at, Verdict: "UNTRACKED", Leaves: "forwarded", Tuple: gre, Own: gre},
	}
}

// packetDocument returns what a printer writes of packets.
func packetDocument(s Style, files bool, list []Packet) []byte {
	p := NewPacketPrinter(s, files)
	b := p.AppendHeader(nil)
	for i := range list {
		b = p.Append(b, &list[i])
	}
	return p.AppendFooter(b)
}

func TestPacketLines(t *testing.T) {
	before := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = before })
	want := strings.TrimPrefix(`
a b.pcap      1 2026-01-02 14:03:00.020000 NEW         original tcp 10.0.0.2:4000 > 192.0.2.1:80 SYN_SENT 120s translated to 198.51.100.1:61000 > 192.0.2.1:80
     2 2026-01-02 14:03:00.020000 ESTABLISHED reply    tcp 10.0.0.2:4000 > 192.0.2.1:80 SYN_SENT → SYN_RECV 60s
     3 2026-01-02 14:03:00.020000 INVALID              tcp 10.0.0.2:4000 > 192.0.2.1:80 dropped by dropped-by-rule: SEQ is "far", 7 bytes
1000000 2026-01-02 14:03:00.020000 NONE                 ARP
     5 2026-01-02 14:03:00.020000 NEW         original icmpv6 2001:db8::1 > 2001:db8::2 type 128 code 0 id 7
     6 2026-01-02 14:03:00.020000 UNTRACKED            gre 10.0.0.2 > 192.0.2.1
`, "\n")
	if got := string(packetDocument(StyleClassic, false, somePackets())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPacketCSV(t *testing.T) {
	r := csv.NewReader(strings.NewReader(string(packetDocument(StyleCSV, true, somePackets()))))
	rows, err := r.ReadAll() // all have the same number of columns
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 7 {
		t.Fatalf("%d rows", len(rows))
	}
	value := func(row int, name string) string {
		for i, n := range rows[0] {
			if n == name {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s", name)
		return ""
	}
	for _, c := range []struct {
		row         int
		name, value string
	}{
		{1, "file", "a b.pcap"}, {1, "packet", "1"}, {1, "left_src", "198.51.100.1"}, {1, "left_sport", "61000"},
		{2, "state_before", "SYN_SENT"}, {2, "left_src", ""}, {3, "reason", `SEQ is "far", 7 bytes`},
		{3, "dropped_by", "dropped-by-rule"}, {4, "verdict", "NONE"}, {4, "src", ""}, {5, "icmp_id", "7"}, {6, "dstkey", "9"},
		{6, "dport", ""},
	} {
		if got := value(c.row, c.name); got != c.value {
			t.Errorf("row %d: %s is %q, want %q", c.row, c.name, got, c.value)
		}
	}
}
