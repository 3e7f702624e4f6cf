package difftest

import (
	"slices"
	"strings"
	"testing"
)

// listener returns an -E that will run beside the commands of a case.
func (g generator) listener() *command {
	c := &command{background: true}
	word := ""
	if g.chance(10) {
		word = pick(g, "conntrack", "c", "expect", "exp", "dying")
	}
	c.add(g.written(lookup(commands, "event"), word))
	p := pick(g, protocols...)
	v6 := g.familyFor(p)
	if g.chance(4) {
		c.add(g.protocolItems(p, false, v6)...)
	}
	for _, o := range options {
		n := 12
		switch o.long {
		case "protonum", "buffer-size", "timeout", "nat-range":
			continue // chosen above, loses events, or has no effect
		case "output":
			n = 2
		case "event-mask":
			n = 4
		}
		if strings.Contains(allowed["event"], o.short) && g.chance(n) {
			value := g.value(o.kind, v6)
			if o.kind == events {
				value = g.list([]string{"ALL", "NEW", "UPDATES", "DESTROY"}, 2, false)
			}
			c.add(g.written(o, value))
		}
	}
	g.mutate(c, 30)
	return c
}

// listenerLines are listeners that receive the same events.
const listenerLines = `
-E
-E conntrack
-E expect
-E expect -o xml
-E expect -o timestamp
-E expect -e NEW
-E dying
-E -e NEW
-E -e UPDATES
-E -e DESTROY
-E -e NEW,DESTROY
-E -e ALL
-E -e new,upd
-E -o extended
-E -o id
-E -o ktimestamp
-E -o timestamp
-E -o labels
-E -o xml
-E -o save
-E -o userspace
-E -o extended,id,ktimestamp,labels,timestamp
-E -o xml,ktimestamp,timestamp -e DESTROY
-E -o xml,labels -e NEW
-E -o xml,extended,id -e UPDATES
-E -o save -e NEW
-E -o save -e UPDATES
-E -o save -e DESTROY
-E -o save,id
-E -p tcp
-E -p TCP --dport 80
-E -p tcp --sport 1 --dport 80
-E -p tcp --dport 0
-E -p tcp --state ESTABLISHED
-E -p tcp --state CLOSE
-E -p tcp --reply-port-src 80
-E -p udp --reply-port-dst 53
-E -p udp --sport 53 -o save
-E -p udp -f ipv6
-E -p sctp -o xml
-E -p sctp --state CLOSED
-E -p sctp -o save
-E -p sctp --orig-vtag 1
-E -p icmp
-E -p icmp --icmp-type 8
-E -p icmp --icmp-type 0
-E -p icmp --icmp-id 1 --icmp-code 0
-E -p icmpv6 --icmpv6-type 128
-E -p gre
-E -p gre --srckey 1
-E -p gre --srckey 99
-E -p igmp
-E -p 17
-E -p 0
-E -p x
-E -s 10.0.0.1
-E -d 10.0.0.2
-E -s 10.0.0.1 -d 10.0.1.1
-E -s 10.0.0.0/24
-E -s 10.0.0.0 --mask-src 255.255.254.0
-E -d 10.0.1.0/24
-E -s 0.0.0.0/0
-E -s fd00::/64
-E -d fd00::2/127
-E -s ::/0
-E -r 10.0.0.2
-E -q 10.0.0.1
-E -r 10.0.0.2 -q 10.0.0.1 -s 10.0.0.1
-E -q 2001:db8::99
-E -r 203.0.113.1
-E -f ipv4
-E -f ipv6
-E -f ipv6 -s 10.0.0.1
-E -m 5
-E -m 0
-E -m 0/0
-E -m 5/4
-E -m 8
-E -m 0x10/0xf0
-E -m x
-E -w 0
-E -w 1
-E -w 2
-E -w 65535
-E --orig-zone 0
-E --orig-zone 3
-E --reply-zone 4
-E -w 1 --orig-zone 1
-E -n
-E -g
-E -j
-E -n -g
-E -n 2001:db8::99
-E -n 203.0.113.1
-E -g 203.0.113.1
-E -g 203.0.113.1:80
-E -j 203.0.113.1
-E -j -p udp
-E -l one
-E -l zero
-E -l seven -e UPDATES
-E -l x
-E -c 0
-E -c 5
-E -u ASSURED
-E -i 5
-E -z
-E -t 5
-E -o save,xml
-E --mask-src 255.0.0.0
`

// changes are the commands whose events they receive: each kind of entry is
// created, changed and deleted. The two programs must not differ on any of them.
const changes = `
-I -p udp -t 5000 -s 10.0.0.2 -d 10.0.0.1 --sport 5 --dport 6 -m 0x10
-I -p udp -t 5000 -s 10.0.0.2 -d 10.0.1.1 --sport 5 --dport 6 --orig-zone 3
-I -p udp -t 5000 -s 10.0.0.2 -d 10.0.1.1 --sport 5 --dport 6 --reply-zone 4
-I -p icmpv6 -t 5000 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 3
-I -p igmp -t 5000 -s 10.0.0.1 -d 10.0.0.2
-I -p tcp -t 5000 -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 80 --state NONE
-I -p tcp -t 5000 -s 10.0.0.1 -d 192.0.2.1 --sport 2 --dport 80 --state SYN_SENT -g 203.0.113.1:8080
-I -p udp -t 5000 -s 10.0.0.1 -d 192.0.2.1 --sport 2 --dport 80 -n 203.0.113.1 --label-add one
-A -p udplite -t 5000 -s 10.0.0.1 -d 10.0.0.2 --sport 2 --dport 80
-A -p dccp -t 5000 -s 10.0.0.1 -d 10.0.0.2 --sport 2 --dport 80 --state OPEN --role client
-G -p udp -s 10.0.0.1 -d 10.0.1.1 --sport 53 --dport 53
-L
-L -z -f ipv4
-U -p tcp -s 10.0.0.1 -d 10.0.0.2 --state CLOSE
-U -p udp -s 10.0.0.1 -d 10.0.1.1 -m 8 -t 9000
-U -p udp -s 10.0.0.1 -d 10.0.1.1 -m 8
-U -p udp -s fd00::1 -d fd00::2 -u ASSURED,SEEN_REPLY
-U -p udp -s 10.0.0.1 -d 192.0.2.1 --label-add seven
-U -p udp -s 10.0.0.1 -d 192.0.2.1 --label-del one
-D -p udp -s 10.0.0.1 -d 10.0.1.1
-D -p udp -s 10.0.0.1 -d 10.0.1.1
-R @FILE@
-D -p tcp
# traffic
-F
-C
`

// TestEvents compares the output of listeners with one option or a few on the
// same changes. Several of them run at a time.
func TestEvents(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute: not with -short")
	}
	t.Parallel()
	b := newBench(t)
	b.perform(&labAction{"loopback up", loopback})
	var steps []*command
	for l := range strings.Lines(changes) {
		if strings.HasPrefix(l, "#") {
			steps = append(steps, &command{labAction: &labAction{"packets on the loopback device", traffic}})
		} else if words := split(strings.TrimSpace(l)); len(words) > 0 {
			c := &command{items: understood(words)}
			if c.has("load-file") {
				c.load = []line{{raw: "-I -p udp -t 5000 -s 10.0.0.1 -d 10.0.1.1 --sport 7 --dport 7\n"}, {raw: "-D -p igmp\n"}}
			}
			steps = append(steps, c)
		}
	}
	var all []*command
	for l := range strings.Lines(listenerLines) {
		if words := split(strings.TrimSpace(l)); len(words) > 0 {
			all = append(all, &command{items: understood(words), background: true})
		}
	}
	for some := range slices.Chunk(all, 20) {
		for some = slices.Clone(some); len(some) > 0 && !b.full(); {
			_, d := b.run(slices.Concat(some, population(), steps), true)
			if d == nil {
				break
			}
			b.report(d)
			if !d.on.background {
				return
			}
			some = slices.DeleteFunc(some, func(c *command) bool { return c == d.on })
		}
	}
	b.printSummary()
	if b.listenersSkipped > 0 && !b.full() {
		t.Errorf("%d listeners were not compared: the changes themselves differ", b.listenersSkipped)
	}
}
