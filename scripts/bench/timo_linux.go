package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/timo"
)

// timoRole is the peer in Go: Dump of github.com/ti-mo/conntrack, and a line for
// each entry. With an argument it is the same program on ctnetlink.
func timoRole(arguments []string) error {
	var c timo.Client = timo.New(ctnetlink.Open())
	if len(arguments) == 0 {
		theirs, err := conntrack.Dial(nil)
		if err != nil {
			return err
		}
		c = theirs
	}
	defer c.Close()
	flows, err := c.Dump(nil)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(os.Stdout, bufferSize)
	for i := range flows {
		f := &flows[i]
		o, r := &f.TupleOrig, &f.TupleReply
		fmt.Fprintf(w, "%d %d src=%s dst=%s sport=%d dport=%d src=%s dst=%s sport=%d dport=%d [%s] mark=%d use=%d\n",
			o.Proto.Protocol, f.Timeout,
			o.IP.SourceAddress, o.IP.DestinationAddress, o.Proto.SourcePort, o.Proto.DestinationPort,
			r.IP.SourceAddress, r.IP.DestinationAddress, r.Proto.SourcePort, r.Proto.DestinationPort,
			f.Status, f.Mark, f.Use)
	}
	fmt.Fprintf(os.Stderr, "%d flow entries have been shown.\n", len(flows))
	return w.Flush()
}
