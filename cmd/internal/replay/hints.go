package replay

import (
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/capture"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// hints says what the user may want to know about the captures.
func (r *run) hints() {
	if n, hosts := r.offload.found(); n > 0 {
		it, of := "they were", "the checksums of "+strconv.Itoa(n)+" INVALID packets, all sent by %s, were"
		if n == 1 {
			it, of = "it was", "the checksum of an INVALID packet, sent by %s, was"
		}
		r.notice(of+" to be filled in by its network card after the capture (checksum offload): on the wire "+
			it+" right. Use --sysctl nf_conntrack_checksum=0", hosts)
	}
	if n := r.count.verdicts[engine.StateUnknown]; n > 0 {
		r.notice("%d of %d packets %s UNKNOWN: too little was captured (tcpdump -s 0 captures all)", n, r.count.records, are(n))
	}
	if r.guess != nil && r.options.rules != "" {
		if list, why := r.guess.addresses(); len(list) > 0 {
			r.notice("the capture seems to be of the machine %s: %s. With --local %s the rules of input and output are run",
				list[0], why, joined(list))
		}
	}
}

func (r *run) notice(form string, args ...any) {
	_ = r.Out.Flush() // the Output keeps the failure
	r.Err.Printf("NOTICE: "+form+".\n", args...)
}

func joined(list []netip.Addr) string {
	var names []string
	for _, a := range list {
		names = append(names, a.String())
	}
	return strings.Join(names, ",")
}

// guessRecords is how many records of each capture are read to guess the
// machine's addresses.
const guessRecords = 100_000

// guessLocal guesses the machine's addresses from the beginning of the captures.
func (r *run) guessLocal() error {
	var g guess
	for _, name := range r.options.files {
		if err := guessFrom(&g, name); err != nil {
			return err
		}
	}
	list, why := g.addresses()
	if len(list) == 0 {
		return cmdline.Failuref("--local auto: the captures do not show which addresses are this machine's: use --local ADDR")
	}
	r.notice("this machine is %s: %s", joined(list), why)
	r.options.local = append(r.options.local, list...)
	return nil
}

func guessFrom(g *guess, name string) error {
	file, err := console.OpenNamed(name)
	if err != nil {
		return cmdline.Failuref("%s: %s", name, console.ErrorText(err))
	}
	defer file.Close()
	f, err := capture.New(name, io.Reader(file))
	if err != nil {
		return cmdline.Failuref("%s", err)
	}
	var rec capture.Record
	for range guessRecords {
		if f.Next(&rec) != nil {
			return nil // the replay reports it
		}
		g.add(&rec)
	}
	return nil
}
