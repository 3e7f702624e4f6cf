package config

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The corpus of files to change: all clauses.
var corpus = []string{
	pair,
	`Sync {
 Mode NOTRACK { CommitTimeout 5 PurgeTimeout 6 DisableInternalCache on DisableExternalCache yes StartupResync no }
 UDP Default { IPv4_address 10.99.0.1 IPv4_Destination_Address 10.99.0.2 Port 3780 Interface lo SndSocketBuffer 5
  RcvSocketBuffer 6 Checksum off }
 UDP { IPv6_address fd99::1 IPv6_Destination_Address fd99::2 Port 3781 Interface nope }
 Options { ExpectationSync on TCPWindowTracking off }
}
General { Systemd off Nice -5 SocketBufferSize 7 SocketBufferSizeMaxGrown 8 PollSecs 4
 Syslog on LogFile on
 UNIX { Path /x/y Backlog 20 }
 NetlinkOverrunResync off NetlinkEventsReliable on EventIterationLimit 7 SocketBufferSizeMaxGrowth 8
 Filter { Protocol Ignore { icmp UDP nosuch IPv6-ICMP } State Ignore { SYN_SENT SYN_RECV FIN_WAIT CLOSE_WAIT for TCP
  LAST_ACK TIME_WAIT CLOSE for TCP } Address Accept { IPv6_address 2001:db8::/32 IPv4_address 192.0.2.0/24 } }
}
`,
	`General { HashSize 5 HashLimit 6 Syslog daemon Scheduler { Priority 5 Type rr } Nice +3 }
Sync { Mode ALARM { RefreshTime 15 CacheTimeout 180 CommitTimeout 1 PurgeTimeout 4 } RefreshTime 4 CacheTimeout 5
 TCP { IPv4_address 10.99.0.1 IPv4_Destination_Address 10.99.0.2 Port 3780 Interface lo ErrorQueueLength 10 }
 TCP { IPv6_address ::1 Port 3780 } CommitTimeout 6 PurgeTimeout 7 }
`,
	`Stats { LogFile on Syslog local5 LogFile /var/log/x }
General { Syslog local4 NetlinkOverrunResync 5 NetlinkBufferSize 1 NetlinkBufferSizeMaxGrowth 4 LockFile /x/lock }
`,
	`Sync { Mode nack { }
 Multicast { IPv6_address ff02::123 IPv6_interface fd99::1 Interface lo Group 3780 }
}
`,
}

// words to put in. Without huge numbers and what is special of Helper.
var spare = strings.Fields(`{ } { } on off yes NO 5 0 100 +5 -3 /a/path /p} 1.2.3.4 1.2.3 10.0.0.0/8 1.1.1.1/33 ::1 fe80::
	a:b 1:::2 abc dead abcde eth0 lo true foo_bar.baz-1 ; " % @ = , ( [ ' $ ! & * ? | ~ _ - + . : < \ #x
	daemon local9 RR fifo udp tcp ip icmpv6 AX.25 for From TCP UDP FTFW ftfw NoTrack nack ALARM Lockfile Family ListenTo`)

// mutant returns a file with a few changes, in words and lines.
func mutant(r *rand.Rand) string {
	f := strings.SplitAfter(corpus[r.IntN(len(corpus))], " ")
	all := strings.Fields(strings.Join(corpus, " "))
	for range 1 + r.IntN(3) {
		i := r.IntN(len(f))
		w := spare[r.IntN(len(spare))]
		if r.IntN(2) == 0 {
			w = all[r.IntN(len(all))]
		}
		switch r.IntN(6) {
		case 0:
			f = append(f[:i:i], f[i+1:]...)
		case 1:
			f = append(f[:i:i], append([]string{w + " "}, f[i:]...)...)
		case 2:
			f[i] = w + " "
		case 3:
			j := r.IntN(len(f))
			f[i], f[j] = f[j], f[i]
		case 4:
			f[i] = strings.TrimRight(f[i], " ") // glued to the next
		case 5:
			f[i] += []string{"\n", "\n\n", "\t", "\r\n", "# a comment }\n", "x"}[r.IntN(6)]
		}
	}
	s := strings.Join(f, "")
	if r.IntN(8) == 0 {
		s = s[:r.IntN(len(s))]
	}
	return s + "\n"
}

// Files with mistakes get the same messages as from conntrack-tools.
func TestMutants(t *testing.T) {
	needReference(t)
	n := 200
	if testing.Short() {
		n = 50
	}
	if v, err := strconv.Atoi(os.Getenv("MUTANTS")); err == nil {
		n = v
	}
	r := rand.New(rand.NewPCG(13, uint64(n)))
	for range n {
		same(t, mutant(r))
	}
}
