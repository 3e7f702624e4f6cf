package pair

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A churn makes, changes and ends entries of a node.
type churn struct {
	node  *Node
	rng   *rand.Rand
	next  int
	alive map[int]string // entries by number: what a command says of their keys
	// expects: some are masters, of which there are expectations.
	expects  bool
	expected int // the last master of which there is one
}

// churnKinds are entries as commands say them: what is told of each first, then what
// changes.
var churnKinds = []string{
	"-p tcp -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 80 -n 192.0.2.{N}:{P}",
	"-p udp -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 53",
	"-p tcp -s fd01::{N}:{H6} -d fd02::100 --sport {P} --dport 443",
	"-p icmp -s 10.{N}.{H} -d 192.0.2.100 --icmp-type 8 --icmp-code 0 --icmp-id {P}",
	"-p sctp -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 36412 --orig-vtag {P} --reply-vtag 2{P}",
}

// A master of expectations.
const (
	churnMaster   = "-p tcp -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 21 --helper ftp"
	churnExpected = "-I expect -p tcp -t {T} -s 10.{N}.{H} -d 192.0.2.100 --sport {P} --dport 21 " +
		"--tuple-src 192.0.2.100 --tuple-dst 10.{N}.{H} --mask-src 255.255.255.255 --mask-dst 255.255.255.255 " +
		"--tuple-port-src 0 --tuple-port-dst {P} --mask-port-src 0 --mask-port-dst 65535"
)

// churnAddress is what the lines of a node's entries have, and no others.
func churnAddress(n *Node) string { return fmt.Sprintf("src=10.%d.", 20+n.Number) }

const (
	churnStep  = 60 // commands at a time
	churnLimit = 1500
	churnEvery = 50 * time.Millisecond
)

func (c *churn) run(stop chan struct{}) {
	ticker := time.NewTicker(churnEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			c.step(churnStep)
		}
	}
}

// step runs some commands.
func (c *churn) step(commands int) {
	b := new(strings.Builder)
	for range commands {
		switch what := c.rng.IntN(10); {
		case what < 5 && len(c.alive) < churnLimit || len(c.alive) == 0:
			n := c.next
			c.next++
			key := churnKinds[n%len(churnKinds)]
			if c.expects && n%7 == 3 {
				key = churnMaster
			}
			key = c.fill(key, n)
			c.alive[n] = key
			fmt.Fprintf(b, "-I %s%s -t 3600\n", key, state(key, "SYN_SENT"))
		case what < 8:
			key := c.alive[c.pick()]
			fmt.Fprintf(b, "-A %s%s -u SEEN_REPLY,ASSURED -m %d -t %d\n", key, state(key, "ESTABLISHED"),
				1+c.rng.IntN(1000), 2000+c.rng.IntN(1000))
		default:
			n := c.pick()
			key := c.alive[n]
			delete(c.alive, n)
			if c.rng.IntN(20) == 0 {
				key, _, _ = strings.Cut(key, " -n ")
				key, _, _ = strings.Cut(key, " --orig-vtag ")
				key, _, _ = strings.Cut(key, " --helper ")
				fmt.Fprintf(b, "-D %s\n", key)
				continue
			}
			fmt.Fprintf(b, "-A %s%s -t 1\n", key, state(key, "TIME_WAIT"))
		}
	}
	c.node.Load(b.String())
	if !c.expects {
		return
	}
	for n := c.next - 1; n > c.expected && n >= c.next-churnStep; n-- {
		if key, ok := c.alive[n]; ok && strings.HasSuffix(key, " --helper ftp") {
			c.expected = n
			life := []string{"2", "1000"}[n%2]
			c.node.Run(Conntrack, strings.Fields(strings.ReplaceAll(c.fill(churnExpected, n), "{T}", life))...)
			return
		}
	}
}

// fill puts the numbers of an entry into a command.
func (c *churn) fill(command string, n int) string {
	return strings.NewReplacer("{N}", fmt.Sprint(20+c.node.Number), "{H}", fmt.Sprintf("%d.%d", n>>8&0xff, n&0xff),
		"{H6}", fmt.Sprintf("%x", n&0xffff), "{P}", fmt.Sprint(10000+n%50000)).Replace(command)
}

// pick returns the number of an entry.
func (c *churn) pick() int {
	// The order of a map is not that of the seed.
	numbers := slices.Sorted(maps.Keys(c.alive))
	return numbers[c.rng.IntN(len(numbers))]
}

// state returns the option that sets a state, where the protocol has one.
func state(key, tcp string) string {
	switch {
	case strings.HasPrefix(key, "-p tcp"):
		return " --state " + tcp
	case strings.HasPrefix(key, "-p sctp"):
		return " --state ESTABLISHED"
	}
	return ""
}
