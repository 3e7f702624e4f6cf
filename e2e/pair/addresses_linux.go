package pair

import (
	"fmt"
	"strings"
)

// virtual are the addresses of the firewall that is in charge.
var virtual = []struct{ dev, address, prefix string }{
	{"lan", LANGate4, LANGate4 + "/24"}, {"wan", WANGate4, WANGate4 + "/24"},
	{"lan", LANGate6, LANGate6 + "/64"}, {"wan", WANGate6, WANGate6 + "/64"},
}

// Take gives the virtual addresses to a node (1, 2 …) after it has taken them from all
// others, and tells client and server, as keepalived does.
func (l *Lab) Take(node int) {
	l.t.Helper()
	for i := range l.Nodes {
		if i+1 != node {
			l.Nodes[i].Leave()
		}
	}
	l.Add(node)
}

// Add gives the virtual addresses to a node and takes them from none. Client and server
// send to it from then on.
func (l *Lab) Add(node int) {
	l.t.Helper()
	n := l.Nodes[node-1]
	have := n.Run("ip", "-o", "addr", "show")
	b := new(strings.Builder)
	for _, v := range virtual {
		if !strings.Contains(have, " "+v.prefix+" ") {
			fmt.Fprintf(b, "addr add %s dev %s%s\n", v.prefix, v.dev, nodad(v.address))
		}
	}
	n.IP(b.String())
	l.Announce(node)
}

// Leave takes the virtual addresses from the node.
func (n *Node) Leave() {
	n.t.Helper()
	have := n.Run("ip", "-o", "addr", "show")
	b := new(strings.Builder)
	for _, v := range virtual {
		if strings.Contains(have, " "+v.prefix+" ") {
			fmt.Fprintf(b, "addr del %s dev %s\n", v.prefix, v.dev)
		}
	}
	n.IP(b.String())
}

// Announce makes client and server send what is for the virtual addresses to a node, as
// gratuitous ARP does.
func (l *Lab) Announce(node int) {
	l.t.Helper()
	n := l.Nodes[node-1]
	for _, h := range []*Host{l.Client, l.Server} {
		b := new(strings.Builder)
		for _, v := range virtual {
			if (v.dev == "lan") == (h == l.Client) {
				fmt.Fprintf(b, "neigh replace %s lladdr %s dev %s\n", v.address, n.hardware(v.dev), v.dev)
			}
		}
		h.IP(b.String())
	}
}

// hardware returns the hardware address of a device.
func (h *Host) hardware(dev string) string {
	h.t.Helper()
	out := strings.Fields(h.Run("ip", "-o", "link", "show", "dev", dev))
	for i, f := range out {
		if f == "link/ether" && i+1 < len(out) {
			return out[i+1]
		}
	}
	h.t.Fatalf("%s: no hardware address of %s: %s", h.Name, dev, out)
	return ""
}

func nodad(address string) string {
	if strings.Contains(address, ":") {
		return " nodad"
	}
	return ""
}

// SyncAddress returns the address of a node on a dedicated link: sy0 is link 0.
func SyncAddress(link, node int, v6 bool) string {
	if v6 {
		return fmt.Sprintf("fd9%d::%d", 9-link, node)
	}
	return fmt.Sprintf("10.9%d.0.%d", 9-link, node)
}

// Links gives the node's devices sy0 and sy1, where there are such, their addresses.
func (n *Node) Links() {
	n.t.Helper()
	have := n.Run("ip", "-o", "link", "show")
	for i, dev := range []string{"sy0", "sy1"} {
		if !strings.Contains(have, " "+dev+"@") && !strings.Contains(have, " "+dev+":") {
			continue
		}
		n.IP(fmt.Sprintf("addr replace %s/24 dev %s\naddr replace %s/64 dev %[2]s nodad\nlink set %[2]s up\n",
			SyncAddress(i, n.Number, false), dev, SyncAddress(i, n.Number, true)))
	}
}

// Has reports whether the node has the virtual addresses.
func (n *Node) Has() bool {
	out, err := n.Output("", "ip", "-o", "addr", "show", "dev", "wan")
	return err == nil && strings.Contains(out, WANGate4+"/")
}
