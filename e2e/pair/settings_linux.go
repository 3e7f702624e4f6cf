package pair

import (
	"fmt"
	"strings"
)

// Modes and channels.
const (
	FTFW    = "FTFW"
	NoTrack = "NOTRACK"
	Alarm   = "ALARM"

	Multicast  = "mcast"
	Multicast6 = "mcast6"
	Multicast2 = "mcast2" // two links, IPv4
	UDP        = "udp"
	UDP6       = "udp6"
	TCP        = "tcp"
	TCP6       = "tcp6"
)

// Settings are what a daemon's configuration says. The zero value is FT-FW by multicast.
type Settings struct {
	Mode, Channel string
	// ModeClauses are more clauses in the section of the mode, such as
	// "DisableExternalCache on", Options those in the section Options, General those in
	// General, Sync those in Sync.
	ModeClauses, Options, General, Sync string
	// HashSize and HashLimit are 32768 and 1048576 if they are 0.
	HashSize, HashLimit int
	// Buffer is the size of the channel's socket buffers, Netlink and NetlinkGrowth those
	// of the kernel's events: 1249280, 2097152 and 8388608 if they are 0.
	Buffer, Netlink, NetlinkGrowth int
	// Filter is the whole section; "" ignores the traffic of the dedicated links.
	Filter string
	// LockFile is the Node's own if it is "".
	LockFile string
	// Peers are the nodes that UDP and TCP send to; nil: the other of a pair.
	Peers []int
}

// or returns the first that is not zero.
func or[V comparable](v, other V) V {
	var zero V
	if v == zero {
		return other
	}
	return v
}

// ignoreLinks is the usual filter.
const ignoreLinks = `	Filter From Userspace {
		Address Ignore {
			IPv4_address 127.0.0.1
			IPv4_address 10.99.0.0/24
			IPv4_address 10.98.0.0/24
			IPv4_address 224.0.0.0/4
			IPv6_address ::1
			IPv6_address fd99::/64
			IPv6_address fd98::/64
			IPv6_address fe80::/10
			IPv6_address ff00::/8
		}
	}
`

// text returns the configuration of a node.
func (s *Settings) text(n *Node) string {
	b := new(strings.Builder)
	fmt.Fprintf(b, "Sync {\n\tMode %s {\n\t\t%s\n\t}\n", or(s.Mode, FTFW), s.ModeClauses)
	s.links(b, n)
	if s.Options != "" {
		fmt.Fprintf(b, "\tOptions {\n\t\t%s\n\t}\n", s.Options)
	}
	fmt.Fprintf(b, "\t%s\n}\nGeneral {\n", s.Sync)
	fmt.Fprintf(b, "\tLogFile %s\n\tLockFile %s\n", n.LogFile(), or(s.LockFile, n.LockFile()))
	fmt.Fprintf(b, "\tUNIX {\n\t\tPath %s\n\t}\n", n.Socket())
	fmt.Fprintf(b, "\tHashSize %d\n\tHashLimit %d\n", or(s.HashSize, 32768), or(s.HashLimit, 1048576))
	fmt.Fprintf(b, "\tNetlinkBufferSize %d\n", or(s.Netlink, 2097152))
	fmt.Fprintf(b, "\tNetlinkBufferSizeMaxGrowth %d\n", or(s.NetlinkGrowth, 8388608))
	// Priority 0 is refused by the kernel, so that the daemon runs as other programs do.
	b.WriteString("\tScheduler {\n\t\tType RR\n\t\tPriority 0\n\t}\n\tSystemd off\n")
	fmt.Fprintf(b, "%s\t%s\n}\n", or(s.Filter, ignoreLinks), s.General)
	return b.String()
}

// links writes the sections of the channel.
func (s *Settings) links(b *strings.Builder, n *Node) {
	channel := or(s.Channel, Multicast)
	kind := strings.TrimRight(channel, "26")
	v6 := strings.HasSuffix(channel, "6")
	word := map[bool]string{false: "IPv4", true: "IPv6"}[v6]
	section := func(name string, link int, clauses string) {
		fmt.Fprintf(b, "\t%s {\n%s\t\tInterface sy%d\n", name, clauses, link)
		if kind != TCP {
			size := or(s.Buffer, 1249280)
			fmt.Fprintf(b, "\t\tSndSocketBuffer %d\n\t\tRcvSocketBuffer %d\n\t\tChecksum on\n", size, size)
		}
		b.WriteString("\t}\n")
	}
	switch kind {
	case "mcast":
		for i := range map[bool]int{false: 1, true: 2}[channel == Multicast2] {
			clauses := fmt.Sprintf("\t\tIPv4_address 225.0.0.%d\n\t\tGroup %d\n\t\tIPv4_interface %s\n",
				50+i, 3780+i, SyncAddress(i, n.Number, false))
			if v6 {
				// The address stands before the interface: conntrack-tools needs that order.
				clauses = "\t\tIPv6_address ff08::123\n\t\tGroup 3780\n"
			}
			section("Multicast", i, clauses)
		}
	default:
		peers := s.Peers
		if peers == nil {
			peers = []int{3 - n.Number}
		}
		for _, p := range peers {
			clauses := "\t\t%s_address %s\n\t\t%[1]s_Destination_Address %[3]s\n\t\tPort 3780\n"
			section(strings.ToUpper(kind), 0, fmt.Sprintf(clauses, word,
				SyncAddress(0, n.Number, v6), SyncAddress(0, p, v6)))
		}
	}
}
