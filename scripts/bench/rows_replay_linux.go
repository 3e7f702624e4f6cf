package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// replayRow: a capture through the table of the process, beside programs that
// read the same file: tshark, which knows conversations (the reference here), and
// tcpdump, which prints packets (the limit).
func (b *bench) replayRow() error {
	flows := min(b.entries, 200_000)
	n := flows * packetsPerFlow
	program, file := b.file("conntrack-replay"), b.file("flows.pcap")
	if err := build("", program, modulePath+"/cmd/conntrack-replay"); err != nil {
		return err
	}
	if err := writeCapture(file, flows); err != nil {
		return err
	}
	defer os.Remove(file)
	output := b.file("replay.out")
	ours := &contestant{argv: []string{program, file, "--summary"}, output: output}
	ours.check = func(outcome) error {
		text, err := os.ReadFile(output)
		if err != nil {
			return err
		}
		got := strings.Join(strings.Fields(string(text)), " ")
		want := fmt.Sprintf("packets %d NEW %d ESTABLISHED %d entries at the end %d", n, flows, n-flows, flows)
		if !strings.HasPrefix(got, want) {
			return fmt.Errorf("it says %q, not %q", got, want)
		}
		return nil
	}
	tshark := b.installed("tshark", "-q", "-z", "conv,tcp", "-r", file)
	tcpdump := b.installed("tcpdump", "-n", "-r", file)
	if err := b.race(nil, ours, tshark, tcpdump); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work:      fmt.Sprintf("replay of %s packets, %s flows (reference: tshark -z conv,tcp)", count(n), count(flows)),
		ours:      ours.result(),
		ref:       tshark.result(),
		limit:     tcpdump.result(),
		limitName: "tcpdump -n",
		goals:     []goal{rateGoal(1_000_000, n, ours.result())},
	})
	return nil
}

// installed is a contestant of another project, nil if it is not installed.
func (b *bench) installed(name string, args ...string) *contestant {
	path, err := exec.LookPath(name)
	if err != nil {
		b.note("%s is not installed.", name)
		return nil
	}
	return &contestant{argv: append([]string{path}, args...), mayFail: true, runs: min(b.runs, 3)}
}

// rateGoal is a goal on the number of packets in a second.
func rateGoal(least, packets int, ours *figures) goal {
	g := goal{text: "≥ " + count(least) + " packets/s", reached: "–"}
	if ours.ok() {
		rate := float64(packets) / ours.wall.Seconds()
		g.reached = "yes, "
		if rate < float64(least) {
			g.reached = "no, "
		}
		g.reached += fmt.Sprintf("%.2f million", rate/1e6)
	}
	return g
}

// trackRole gives a table packets from memory, in a process of its own: the
// number of flows is its argument.
func trackRole(args []string) error {
	flags := newRoleFlags("track")
	flows := flags.Int("flows", 1_000_000, "number of flows")
	file := flags.String("file", "", "capture that writeCapture made of as many")
	if err := flags.Parse(args); err != nil {
		return err
	}
	packets, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	const fileHeader, recordHeader = 24, 16
	table := engine.New(engine.Options{Max: -1, Accounting: true})
	p := engine.Packet{Time: time.Unix(1_700_000_000, 0)}
	at := fileHeader + recordHeader
	for n := range packetsPerFlow {
		want, start := engine.StateEstablished, time.Now()
		if n == 0 {
			want = engine.StateNew
		}
		for range *flows {
			p.Data = packets[at : at+capturedLen : at+capturedLen]
			p.Time = p.Time.Add(time.Microsecond)
			if v := table.Track(&p); v.State != want {
				return fmt.Errorf("packet at %d: %v %v", at, v.State, v.Reason)
			}
			at += recordHeader + capturedLen
		}
		fmt.Println(time.Since(start).Nanoseconds())
	}
	return nil
}

// trackRow: packets from memory, without a file to read.
func (b *bench) trackRow() error {
	file, output := b.file("memory.pcap"), b.file("track.out")
	if err := writeCapture(file, b.entries); err != nil {
		return err
	}
	defer os.Remove(file)
	var rounds [packetsPerFlow][]time.Duration
	c := &contestant{argv: role("track", "-flows", fmt.Sprint(b.entries), "-file", file), output: output}
	c.check = func(outcome) error {
		text, err := os.ReadFile(output)
		if err != nil {
			return err
		}
		for i, line := range strings.Fields(string(text)) {
			var ns time.Duration
			if _, err := fmt.Sscan(line, &ns); err != nil {
				return err
			}
			rounds[i] = append(rounds[i], ns)
		}
		return nil
	}
	if err := b.sideBySide(b.runs, c); err != nil || c.missing != "" {
		return err
	}
	rate := func(of ...int) float64 {
		var sum time.Duration
		for _, i := range of {
			sum += median(rounds[i])
		}
		return float64(len(of)*b.entries) / sum.Seconds() / 1e6
	}
	b.note("Packets from memory, %s flows in random order, half TCP and half UDP, 64 bytes: %.2f million a second of new "+
		"flows, %.2f of known ones (goal: 2); with the packets %.0f MiB resident.",
		count(b.entries), rate(0), rate(1, 2, 3, 4), mebibytes(c.peak))
	return nil
}
