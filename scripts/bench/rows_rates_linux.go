package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os/exec"
	"strings"
	"time"
)

// The flows whose rates are compared: as many, each twice as fast as the one before.
const (
	rateFlows = 6
	ratePort  = 7001
	rateBytes = 972 // of payload: packets of 1000 bytes
)

// trafficRole is a process that sends packets of UDP to ports of the loopback device
// at steady rates: 50 a second to the first, 100 to the second ….
func trafficRole(args []string) error {
	f := newRoleFlags("traffic")
	long := f.Duration("for", time.Minute, "how long")
	if err := f.Parse(args); err != nil {
		return err
	}
	sinks, flows := make([]net.PacketConn, rateFlows), make([]net.Conn, rateFlows)
	for i := range flows {
		to := fmt.Sprintf("127.0.0.1:%d", ratePort+i)
		var err error
		if sinks[i], err = net.ListenPacket("udp", to); err != nil {
			return err
		}
		if flows[i], err = net.Dial("udp", to); err != nil {
			return err
		}
	}
	payload, sent := make([]byte, rateBytes), make([]int, rateFlows)
	start := time.Now()
	for now := start; now.Sub(start) < *long; now = time.Now() {
		for i, c := range flows {
			due := int(now.Sub(start).Seconds() * 50 * math.Exp2(float64(i)))
			for ; sent[i] < due; sent[i]++ {
				if _, err := c.Write(payload); err != nil {
					return err
				}
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}

// nftCounters are the bytes that nft counted for the ports of the flows.
func nftCounters() (bytes [rateFlows]float64, at time.Time, err error) {
	out, err := exec.Command("nft", "-j", "list", "counters").Output()
	if err != nil {
		return bytes, at, err
	}
	at = time.Now()
	var list struct {
		Nftables []struct {
			Counter *struct {
				Name  string
				Bytes float64
			}
		}
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return bytes, at, err
	}
	for _, x := range list.Nftables {
		var i int
		if x.Counter != nil {
			if _, err := fmt.Sscanf(x.Counter.Name, "flow%d", &i); err == nil && i < rateFlows {
				bytes[i] = x.Counter.Bytes
			}
		}
	}
	return bytes, at, nil
}

// countWithNft makes a counter of nft for each flow.
func countWithNft() error {
	var rules strings.Builder
	rules.WriteString("table inet rates {\n")
	for i := range rateFlows {
		fmt.Fprintf(&rules, "counter flow%d { }\n", i)
	}
	rules.WriteString("chain in { type filter hook input priority 0;\nct state invalid drop\n")
	for i := range rateFlows {
		fmt.Fprintf(&rules, "udp dport %d counter name flow%d\n", ratePort+i, i)
	}
	rules.WriteString("}\n}\n")
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules.String())
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, out)
	}
	return nil
}

// topRatesRow: rates beside nft's counters of the same flows.
func (b *bench) topRatesRow() error {
	program, err := b.topProgram()
	if err != nil {
		return err
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	if err := writeNumber("/proc/sys/net/netfilter/nf_conntrack_acct", 1); err != nil { // of this network namespace
		return err
	}
	if err := countWithNft(); err != nil {
		b.note("top, rates: not compared: %v", err)
		return nil
	}
	defer func() { _ = exec.Command("nft", "delete", "table", "inet", "rates").Run() }()
	for _, c := range []struct {
		entries  int
		interval time.Duration
	}{{min(b.entries, 50_000), 10 * time.Second}, {b.entries, 40 * time.Second}} {
		if err := b.want(mixed, c.entries); err != nil {
			return err
		}
		b.holds = contents{}
		worst, err := b.compareRates(program, c.interval)
		if err != nil {
			return err
		}
		g := goal{text: "≤ 2 %"}
		g.judge(100*worst, 2, "%.2f %%")
		b.speed = append(b.speed, speedLine{
			work:  fmt.Sprintf("top, bytes a second beside nft's counters, %s entries, over %v", count(c.entries), c.interval),
			goals: []goal{g},
		})
		if err := b.flush(); err != nil {
			return err
		}
	}
	return nil
}

// compareRates returns the largest relative difference.
func (b *bench) compareRates(program string, interval time.Duration) (worst float64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	traffic := command(ctx, role("traffic", "-for", (interval+20*time.Second).String()))
	if err := traffic.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = traffic.Process.Kill(); _ = traffic.Wait() }()
	time.Sleep(2 * time.Second) // the flows are there
	before, from, err := nftCounters()
	if err != nil {
		return 0, err
	}
	top := command(ctx, []string{program, "--once", "--interval", interval.String(), "-p", "udp", "--dport",
		fmt.Sprintf("%d-%d", ratePort, ratePort+rateFlows-1), "-o", "jsonl"})
	var stderr bytes.Buffer
	top.Stderr = &stderr
	out, err := top.Output()
	if err != nil {
		return 0, fmt.Errorf("top: %w: %s", err, &stderr)
	}
	after, to, err := nftCounters()
	if err != nil {
		return 0, err
	}
	seen := 0
	for line := range bytes.Lines(out) {
		var f struct {
			Orig struct {
				DPort int
				Rate  float64 `json:"byte_rate"`
			}
		}
		if err := json.Unmarshal(line, &f); err != nil {
			return 0, fmt.Errorf("%w: %s", err, line)
		}
		i := f.Orig.DPort - ratePort
		if i < 0 || i >= rateFlows {
			continue
		}
		want := (after[i] - before[i]) / to.Sub(from).Seconds()
		worst = max(worst, math.Abs(f.Orig.Rate-want)/want)
		seen++
	}
	if seen != rateFlows {
		b.fail("top, rates: %d flows of %d are shown:\n%s", seen, rateFlows, out)
	}
	return worst, nil
}
