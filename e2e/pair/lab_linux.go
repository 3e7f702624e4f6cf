package pair

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// Addresses of client and server, and those of the firewall that is in charge.
const (
	ClientV4, ClientV6 = "10.0.0.100", "fd01::100"
	ServerV4, ServerV6 = "192.0.2.100", "fd02::100"
	LANGate4, LANGate6 = "10.0.0.1", "fd01::1"
	WANGate4, WANGate6 = "192.0.2.1", "fd02::1"
)

// What a node can do with the source addresses of what leaves for the server.
const (
	Masquerade = "masquerade"
	SourceNAT  = "snat to " + WANGate4
)

// maxNodes: the number is one digit of addresses.
const maxNodes = 9

// Config says how a Lab is made. The zero value is a pair that masquerades.
type Config struct {
	// Nodes is the number of firewalls; 0 means 2.
	Nodes int
	// NAT is what the nodes do with what leaves for the server: Masquerade, which is the
	// default, SourceNAT, or another statement of nft(8).
	NAT string
	// Switched joins the nodes' links by bridges of the Switch, as more than two nodes are
	// joined, so that the end of one node does not take the carrier from the other's.
	Switched bool
	// OwnLinks leaves out the links sy0 and sy1 between the nodes: the caller makes them.
	OwnLinks bool
}

// A Lab is firewalls between a client and a server. Node 1 has the virtual addresses at
// first.
type Lab struct {
	Client, Server, Switch *Host
	Nodes                  []*Node
	// Dir has the files of the daemons.
	Dir string
	t   T

	masquerades bool
}

// New makes a Lab, which ends with the test. skip is not "" where this system does not let
// the process have one: the reason.
func New(t T, c Config) (l *Lab, skip string) {
	t.Helper()
	if c.Nodes == 0 {
		c.Nodes = 2
	}
	if c.Nodes > maxNodes {
		t.Fatalf("pair: %d nodes", c.Nodes)
	}
	for _, name := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil, err.Error()
		}
	}
	dir, err := os.MkdirTemp("", "pair") // short: the path of a socket is limited
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l = &Lab{Dir: dir, t: t}
	for name, h := range map[string]**Host{"client": &l.Client, "server": &l.Server, "switch": &l.Switch} {
		if *h, err = newHost(t, name); err != nil {
			return nil, refused(t, err)
		}
	}
	for i := range c.Nodes {
		h, err := newHost(t, fmt.Sprintf("node%d", i+1))
		if err != nil {
			return nil, refused(t, err)
		}
		l.Nodes = append(l.Nodes, &Node{Host: h, Number: i + 1, dir: dir})
	}
	l.wire(c)
	l.Take(1)
	return l, ""
}

// refused returns the text of an error that is no fault.
func refused(t T, err error) string {
	t.Helper()
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v", err)
	}
	return err.Error()
}

// wire makes devices, addresses and rules.
func (l *Lab) wire(c Config) {
	l.t.Helper()
	bridges := []string{"lan", "wan"}
	if c.Switched = c.Switched || len(l.Nodes) > 2; c.Switched && !c.OwnLinks {
		bridges = append(bridges, "sy0", "sy1")
	}
	for _, b := range bridges {
		l.Switch.IP("link add " + b + " type bridge forward_delay 0 mcast_snooping 0\nlink set " + b + " up\n")
	}
	l.port(l.Client, "lan")
	l.port(l.Server, "wan")
	for _, n := range l.Nodes {
		for _, b := range bridges {
			l.port(n.Host, b)
		}
		n.IP("link set lo up\n")
	}
	if len(l.Nodes) == 2 && !c.Switched && !c.OwnLinks {
		for _, dev := range []string{"sy0", "sy1"} {
			l.Nodes[0].IP("link add " + dev + " type veth peer name " + dev + " netns " + l.Nodes[1].Path() + "\n")
		}
	}
	if !c.OwnLinks {
		for _, n := range l.Nodes {
			n.Links()
		}
	}
	l.Client.IP("link set lo up\n" + host("lan", ClientV4, LANGate4, ClientV6, LANGate6))
	l.Server.IP("link set lo up\n" + host("wan", ServerV4, WANGate4, ServerV6, WANGate6))
	if c.NAT == "" {
		c.NAT = Masquerade
	}
	l.masquerades = c.NAT == Masquerade
	for _, n := range l.Nodes {
		for _, v := range variables {
			n.Set(v[0], v[1])
		}
		n.Rules(strings.ReplaceAll(rules, "NAT", c.NAT))
	}
}

// port joins a host to a bridge by a device with the bridge's name.
func (l *Lab) port(h *Host, bridge string) {
	l.t.Helper()
	peer := h.Name + bridge
	l.Switch.IP("link add " + peer + " type veth peer name " + bridge + " netns " + h.Path() + "\n" +
		"link set " + peer + " master " + bridge + " up\n")
	h.IP("link set " + bridge + " up\n")
}

// host returns commands that give a device addresses, and the routes by gateways.
func host(dev, v4, gate4, v6, gate6 string) string {
	return "addr add " + v4 + "/24 dev " + dev + "\nroute add default via " + gate4 + "\n" +
		"addr add " + v6 + "/64 dev " + dev + " nodad\nroute add default via " + gate6 + "\n"
}

// variables are set at each node.
var variables = [][2]string{
	{"net.ipv4.ip_forward", "1"}, {"net.ipv6.conf.all.forwarding", "1"},
	{"net.ipv4.conf.all.arp_announce", "2"},
	// A connection that the node has no entry of is not picked up.
	{"net.netfilter.nf_conntrack_tcp_loose", "0"},
	// Events also of entries that are made while nobody listens.
	{"net.netfilter.nf_conntrack_events", "1"},
}

// rules are those of each node. Port 21 has the FTP helper, 2222 a label and a mark.
const rules = `table ip nat {
	chain pre { type nat hook prerouting priority -100
		iifname wan tcp dport 8080 dnat to 10.0.0.100:80
		iifname wan udp dport 5555 dnat to 10.0.0.100:53
	}
	chain post { type nat hook postrouting priority 100
		oifname wan NAT
	}
}
table ip6 nat6 {
	chain pre { type nat hook prerouting priority -100
		iifname wan tcp dport 8080 dnat to [fd01::100]:80
	}
	chain post { type nat hook postrouting priority 100
		oifname wan masquerade
	}
}
table inet f {
	ct helper ftp { type "ftp" protocol tcp; }
	chain fw { type filter hook forward priority 0
		tcp dport 21 ct helper set "ftp"
		tcp dport 2222 ct label set 1
		tcp dport 2222 ct mark set 0x2a
		ct state established,related accept
		ct state invalid counter drop
		ct state new accept
	}
}
`
