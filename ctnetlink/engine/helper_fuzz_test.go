package engine

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// FuzzFTP: no data makes the parsers of FTP panic, and what they find is
// within the data.
func FuzzFTP(f *testing.F) {
	for _, s := range []string{
		"PORT 10,0,0,2,100,5\r\n", "EPRT |1|10.0.0.2|6000|\r\n", "EPRT |2|fd00:a::2|6000|\r\n", "EPRT |2|::0.0.0.2|1|",
		"227 Entering Passive Mode (192,0,2,2,100,5).\r\n", "229 Entering Extended Passive Mode (|||6446|)\r\n", "2", "EP",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for d := range ftpCommands {
			for i := range ftpCommands[d] {
				for _, family := range []ctnetlink.Family{familyIPv4, familyIPv6} {
					var to ftpTarget
					c := &ftpCommands[d][i]
					if c.match(b, family, &to) == ftpFound && (to.at < len(c.name) || to.size < 0 || to.at+to.size > len(b)) {
						t.Fatalf("%s: %+v of %q", c.name, to, b)
					}
				}
			}
		}
	})
}

// FuzzParseIPv6: an address is read as net/netip reads it.
func FuzzParseIPv6(f *testing.F) {
	for _, s := range []string{
		"fd00:a::2|", "::|", "1:2:3:4:5:6:7:8|", "1::|", "::1.2.3.4|", "1:2:3:4:5:6:1.2.3.4|", "1:2:3:4:5:6:7::|",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, _, found := strings.Cut(string(b), "|")
		addr, at := parseIPv6(b, '|')
		want, err := netip.ParseAddr(text)
		if at >= 0 != (found && err == nil && want.Is6() && want.Zone() == "") {
			// Leading zeros are no error here.
			if at >= 0 && strings.Contains(text, "0") {
				return
			}
			t.Fatalf("%q: %d, netip says %v", b, at, err)
		}
		if at >= 0 && (at != len(text) || addr != want.As16()) {
			t.Fatalf("%q: %x at %d, netip says %v", b, addr, at, want)
		}
	})
}

// FuzzDCC: no data makes the parser of IRC panic, and what it finds is within
// the data.
func FuzzDCC(f *testing.F) {
	for _, s := range []string{
		"PRIVMSG bob :\x01DCC SEND file 167772162 5000\x01\r\n",
		"\nprivmsg a b :\x01DCC RESUME f 1 2\n :\x01DCC CHAT c 1 5000",
		"PRIVMSG bob :\x01DCC SEND ffffffffffffffffffffffffff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, ok := findDCC(b); ok && (o.at < 0 || o.size < 0 || o.at+o.size > len(b)) {
			t.Fatalf("%+v of %q", o, b)
		}
	})
}
