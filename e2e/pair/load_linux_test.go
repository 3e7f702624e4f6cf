package pair

import (
	"fmt"
	"strings"
)

// load are entries of every kind that conntrack-tools' daemons can tell each other of: numbers
// first, first + 1 …
type load struct{ first, count int }

// kinds of entries, as the rest of a command that makes one. {P} is a port of its own, {H} a
// part of an address of its own.
var kinds = []string{
	"-p tcp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED " +
		"-n 192.0.2.1:{P}",
	"-p tcp -s 192.0.2.100 -d 192.0.2.1 --sport {P} --dport 8080 --state ESTABLISHED -u SEEN_REPLY,ASSURED " +
		"-g 10.16.{H}:80",
	"-p tcp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 443 --state ESTABLISHED -u SEEN_REPLY,ASSURED " +
		"-n 192.0.2.1",
	"-p tcp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 22 --state ESTABLISHED -u SEEN_REPLY,ASSURED",
	"-p udp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 53 -n 192.0.2.1",
	"-p udp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 123 -u SEEN_REPLY,ASSURED -w 7",
	"-p udp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 161 --label-bits 1,40,127 -m 9",
	"-p icmp -s 10.16.{H} -d 192.0.2.100 --icmp-type 8 --icmp-code 0 --icmp-id {P} -n 192.0.2.1",
	"-p icmp -s 10.16.{H} -d 192.0.2.100 --icmp-type 13 --icmp-code 0 --icmp-id {P} -u SEEN_REPLY",
	"-p sctp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 36412 --state ESTABLISHED -u SEEN_REPLY,ASSURED " +
		"--orig-vtag 4660{P} --reply-vtag 22136{P}",
	"-p tcp -s fd01::{H} -d fd02::100 --sport {P} --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED " +
		"-n [fd02::1]:{P}",
	"-p tcp -s fd02::100 -d fd02::1 --sport {P} --dport 8080 --state ESTABLISHED -u SEEN_REPLY,ASSURED " +
		"-g [fd01::{H}]:80",
	"-p udp -s fd01::{H} -d fd02::100 --sport {P} --dport 53 -u SEEN_REPLY",
	"-p icmpv6 -s fd01::{H} -d fd02::100 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id {P}",
	ftpControl,
}

const ftpControl = "-p tcp -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 21 " +
	"--state ESTABLISHED -u SEEN_REPLY,ASSURED --helper ftp"

// ftpData is the expectation of a data connection to a port of the client.
const ftpData = "-I expect -p tcp -t 1000 -s 10.16.{H} -d 192.0.2.100 --sport {P} --dport 21 " +
	"--tuple-src 192.0.2.100 --tuple-dst 10.16.{H} --mask-src 255.255.255.255 --mask-dst 255.255.255.255 " +
	"--tuple-port-src 0 --tuple-port-dst {P} --mask-port-src 0 --mask-port-dst 65535"

// lifetime of the entries in seconds: longer than any test.
const lifetime = 3600

// commands returns the commands that make the entries.
func (l load) commands() string {
	b := new(strings.Builder)
	for n := l.first; n < l.first+l.count; n++ {
		fmt.Fprintf(b, "-I %s -t %d\n", fill(kinds[n%len(kinds)], n), lifetime)
	}
	return b.String()
}

// expectations returns commands that make expectations of some of the entries.
func (l load) expectations() (commands []string) {
	for n := l.first; n < l.first+l.count; n++ {
		if kinds[n%len(kinds)] == ftpControl && n/len(kinds)%4 == 0 {
			commands = append(commands, fill(ftpData, n))
		}
	}
	return commands
}

// fill puts the numbers of an entry into a command.
func fill(command string, n int) string {
	address := fmt.Sprintf("%d.%d", n>>8&0xff, n&0xff)
	if strings.Contains(command, "::{H}") {
		address = fmt.Sprintf("%x", 0x1000+n)
	}
	return strings.NewReplacer("{H}", address, "{P}", fmt.Sprint(10000+n)).Replace(command)
}
