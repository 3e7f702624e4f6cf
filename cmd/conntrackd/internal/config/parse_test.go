package config

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// pair is a file as a node of a pair has it.
const pair = `Sync {
 Mode FTFW { CommitTimeout 1800
  ResendQueueSize 1000 ACKWindowSize 20 StartupResync on }
 Multicast { IPv4_address 225.0.0.50
  Group 3780
  IPv4_interface 10.99.0.1
  Interface lo
  SndSocketBuffer 1249280
  RcvSocketBuffer 1249281
  Checksum on }
 Multicast Default { IPv4_address 225.0.0.51 Group 3781 IPv4_interface 10.98.0.1 Interface lo Checksum off }
 Options { TCPWindowTracking on ExpectationSync { ftp h.323 } }
}
General {
 LogFile /tmp/f1.log # a comment
 LockFile /tmp/f1.lock
 UNIX { Path /tmp/f1.ctl }
 HashSize 32768
 HashLimit 1048576
 NetlinkBufferSize 2097152
 NetlinkBufferSizeMaxGrowth 8388608
 Syslog local3
 Scheduler { Type FIFO Priority 0 }
 Filter From Kernelspace {
  Protocol Accept { TCP }
  Address Ignore { IPv4_address 127.0.0.1 IPv4_address 10.1.2.3/8 IPv6_address fd99::1 }
  State Accept { ESTABLISHED CLOSED LISTEN for TCP }
 }
}
`

func TestParse(t *testing.T) {
	got, messages := Parse([]byte(pair))
	if len(messages) != 0 {
		t.Error(messages)
	}
	lo := Link{
		Kind: Multicast, Local: netip.MustParseAddr("10.99.0.1"), Remote: netip.MustParseAddr("225.0.0.50"),
		Port: 3780, Interface: "lo", SndBuffer: 1249280, RcvBuffer: 1249281, Checksum: true, Line: 4,
	}
	second := Link{
		Kind: Multicast, Default: true, Local: netip.MustParseAddr("10.98.0.1"),
		Remote: netip.MustParseAddr("225.0.0.51"), Port: 3781, Interface: "lo", Line: 11,
	}
	want := &Config{
		Mode: FTFW, ResendQueueSize: 1000, ACKWindowSize: 20, CommitTimeout: 1800 * time.Second,
		PurgeTimeout: time.Minute, RefreshTime: time.Minute, CacheTimeout: 3 * time.Minute, StartupResync: true,
		Links: []Link{lo, second}, ErrorQueueLength: 128,
		TCPWindowTracking: true, Expect: true, ExpectHelpers: []string{"ftp", "h.323"},
		Extensions: true, HashSize: 32768, HashLimit: 1048576, LogFile: "/tmp/f1.log",
		Syslog: true, Facility: 19 << 3, StatsFacility: 3 << 3,
		LockFile: "/tmp/f1.lock", Socket: "/tmp/f1.ctl",
		NetlinkBuffer: 2097152, NetlinkBufferMax: 8388608, OverrunResync: 30 * time.Second,
		EventIterationLimit: 100, Scheduler: &Scheduler{FIFO: true}, Systemd: true, KernelFilter: true,
		Filter: Filter{
			Protocols: &List[ctnetlink.Protocol]{Items: []ctnetlink.Protocol{ctnetlink.ProtoTCP}},
			Addresses: &List[netip.Prefix]{Ignore: true, Items: []netip.Prefix{
				netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"),
				netip.MustParsePrefix("fd99::1/128"),
			}},
			States: &List[ctnetlink.State]{Items: []ctnetlink.State{
				ctnetlink.TCPEstablished, ctnetlink.TCPClose, ctnetlink.TCPSynSent2,
			}},
		},
	}
	if g, w := text(t, got), text(t, want); g != w {
		t.Errorf("got:\n%s\nwant:\n%s", g, w)
	}
}

// text returns a configuration as text to compare.
func text(t *testing.T, c *Config) string {
	t.Helper()
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
