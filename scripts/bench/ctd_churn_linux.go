package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/gonntrack/gonntrack/e2e/pair"
)

const (
	// stable is how many entries there are beside those that come and go.
	stable = 10_000
	// udpTimeout is how long those live, in seconds.
	udpTimeout = "3"
	// soon is within what time after the last change all tables must be equal.
	soon = 2 * time.Second
	// expiry bounds the time until the kernel has removed all that has expired.
	expiry = 2 * time.Minute
)

// churnRow is new flows through the first node, at a steady rate, which expire soon.
func (c *ctd) churnRow() {
	for _, mode := range []string{"FTFW/mcast", "NOTRACK/udp"} {
		if !slices.Contains(c.modes, mode) {
			continue
		}
		s, _ := c.settings(mode, 12*c.rate)
		line := ctdLine{work: fmt.Sprintf("churn, %s flows/s for %d s, %s", count(c.rate), c.seconds, mode)}
		for _, p := range c.programs {
			var r *ctdResult
			c.within(line.work+", "+p.name, func(l *pair.Lab) {
				l.Server.Rules(`table inet bench {
					chain in { type filter hook prerouting priority -500; udp dport 20000-40000 drop; }
				}`)
				for _, n := range l.Nodes {
					n.Set("net.netfilter.nf_conntrack_udp_timeout", udpTimeout)
				}
				populate(l.Nodes[0], 0, stable)
				startPair(l, p, s)
				time.Sleep(between)
				ask(l.Nodes[1], reqResync)
				poll(quiet, have(l.Nodes[1], &s), func(n int) bool { return n == stable })
				time.Sleep(between)
				r = new(churned(l, c.rate, c.seconds))
			})
			if r == nil {
				line.results = append(line.results, nil)
				continue
			}
			line.results = append(line.results, r)
			c.logf("%s, %s: %v", line.work, p.name, r)
		}
		c.lines = append(c.lines, line)
	}
}

// churned measures a churn.
func churned(l *pair.Lab, rate, seconds int) ctdResult {
	first, second := l.Nodes[0], l.Nodes[1]
	differ := func() (internal, external int) {
		internal, _ = cached(first)
		_, external = cached(second)
		k := kernelCount(first)
		return internal - k, external - k
	}
	var note string
	r := work(l.Nodes, func() (time.Duration, int) {
		sent, took, err := blast(l.Client, rate, time.Duration(seconds)*time.Second)
		if err != nil {
			fail("%v", err)
		}
		time.Sleep(soon)
		internal, external := differ()
		note = fmt.Sprintf("%.0f flows/s; 2 s after the end %+d/%+d", float64(sent)/took.Seconds(), internal, external)
		poll(expiry, func() int { return kernelCount(first) }, func(n int) bool { return n <= stable })
		time.Sleep(soon)
		internal, external = differ()
		note += fmt.Sprintf(", when all had expired %+d/%+d", internal, external)
		return took, internal
	})
	runtime := ask(first, reqRuntime)
	note += fmt.Sprintf(", overruns %d", number(runtime, `netlink overrun:\s+(\d+)`))
	r.note, r.arrived = note, 0
	for i := range r.cpu {
		r.cpu[i] /= time.Duration(seconds)
	}
	return r
}

// blast sends UDP datagrams from a host to the server, each a flow of its own.
func blast(h *pair.Host, rate int, long time.Duration) (sent int, took time.Duration, err error) {
	const burst = 64
	err = h.Do(func() error {
		c, err := net.ListenPacket("ip4:udp", "0.0.0.0")
		if err != nil {
			return err
		}
		defer c.Close()
		p := ipv4.NewPacketConn(c)
		to := &net.IPAddr{IP: net.ParseIP(pair.ServerV4)}
		messages := make([]ipv4.Message, burst)
		for i := range messages {
			datagram := make([]byte, 12) // a header, and 4 bytes
			binary.BigEndian.PutUint16(datagram[4:], 12)
			messages[i] = ipv4.Message{Buffers: [][]byte{datagram}, Addr: to}
		}
		total := int(float64(rate) * long.Seconds())
		began := time.Now()
		for sent < total {
			due := min(int(time.Since(began).Seconds()*float64(rate)), total)
			if sent >= due {
				time.Sleep(time.Until(began.Add(time.Duration(sent+burst) * time.Second / time.Duration(rate))))
				continue
			}
			n := min(due-sent, burst)
			for i := range n {
				header := messages[i].Buffers[0]
				binary.BigEndian.PutUint16(header, uint16(1024+(sent+i)%60_000))
				binary.BigEndian.PutUint16(header[2:], uint16(20_000+(sent+i)/60_000))
			}
			n, err := p.WriteBatch(messages[:n], 0)
			if err != nil {
				return err
			}
			sent += n
		}
		took = time.Since(began)
		return nil
	})
	return sent, took, err
}

// lossEntries is how many entries the row loss has.
const lossEntries = 20_000

// lossRow is entries that come while a fifth of all datagrams is lost, both ways.
func (c *ctd) lossRow() {
	for _, lossy := range []bool{false, true} {
		s, _ := c.settings("FTFW/udp", lossEntries)
		line := ctdLine{work: fmt.Sprintf("%s new entries, FTFW/udp, 20 %% loss", count(lossEntries))}
		if !lossy {
			line.work = fmt.Sprintf("%s new entries, FTFW/udp, no loss", count(lossEntries))
		}
		for _, p := range c.programs {
			var all []ctdResult
			for range c.runs {
				c.within(line.work+", "+p.name, func(l *pair.Lab) {
					startPair(l, p, s)
					time.Sleep(between)
					if lossy {
						for _, n := range l.Nodes {
							n.Rules("add chain inet bench loss { type filter hook prerouting priority -250; }\n" +
								"add rule inet bench loss iifname sy0 numgen random mod 100 < 20 drop\n")
						}
					}
					before := packetsSent(l)
					r := work(l.Nodes, func() (time.Duration, int) {
						began := time.Now()
						populate(l.Nodes[0], 0, lossEntries)
						n, at, _ := poll(quiet, have(l.Nodes[1], &s), func(n int) bool { return n == lossEntries })
						return at.Sub(began), n
					})
					r.missing = lossEntries - r.arrived
					r.packets = packetsSent(l) - before
					all = append(all, r)
				})
			}
			line.results = append(line.results, summary(all))
			c.logf("%s, %s: %v", line.work, p.name, all)
		}
		c.lines = append(c.lines, line)
	}
}

// packetsSent returns how many packets both nodes have sent to each other.
func packetsSent(l *pair.Lab) (sent int) {
	for _, n := range l.Nodes {
		sent += number(ask(n, reqShow), `(\d+) Pckts sent`)
	}
	return sent
}
