package top

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// newcomers are the entries of a table: a number at once and then a number per second,
// each of which ends after two seconds.
type newcomers struct {
	table  *engine.Table
	packet packets.UDP
	n      uint32
}

// Environment variables of the program "churn".
const (
	entriesVariable = "GONNTRACK_TOP_ENTRIES"
	birthsVariable  = "GONNTRACK_TOP_BIRTHS"
)

func newNewcomers() *newcomers {
	o := engine.Options{Max: -1, Accounting: true, Sysctls: engine.DefaultSysctls()}
	if known, err := o.Sysctls.Set("nf_conntrack_udp_timeout", "2"); !known || err != nil {
		panic("no timeout")
	}
	o.Sysctls.Checksum = false
	return &newcomers{table: engine.New(o), packet: packets.UDP{Dst: netip.MustParseAddrPort("192.0.2.53:53")}}
}

// grow makes entries of an hour.
func (c *newcomers) grow(n int) {
	conn := ctnetlink.NewConn(c.table.Dial)
	defer conn.Close()
	b := conn.NewBatch()
	for i := range n {
		a := netip.AddrFrom4([4]byte{172, byte(i >> 16), byte(i >> 8), byte(i)})
		tuple := ctnetlink.NewTuple(ctnetlink.ProtoUDP, netip.AddrPortFrom(a, 1), netip.MustParseAddrPort("192.0.2.1:9"))
		en := ctnetlink.NewFlowSpec(tuple)
		en.Reply = tuple.Reverse()
		en.SetTimeout(time.Hour)
		if b.Create(en); b.Full() || i == n-1 {
			if _, err := b.Do(); err != nil {
				panic(err)
			}
		}
	}
	_ = b.Close()
}

// run makes n entries per second.
func (c *newcomers) run(n int) {
	const each = 5 * time.Millisecond
	for next := time.Now(); ; time.Sleep(time.Until(next)) {
		next = next.Add(each)
		for range n * int(each) / int(time.Second) {
			c.n++
			a := netip.AddrFrom4([4]byte{10, byte(c.n >> 16), byte(c.n >> 8), byte(c.n)})
			c.packet.Src = netip.AddrPortFrom(a, 1024)
			c.table.Track(&engine.Packet{Data: c.packet.Bytes(), Time: time.Now()})
		}
		c.table.Expire()
	}
}

// churningScreen shows the screen of a table that changes all the time, and returns
// the exit status.
func churningScreen() int {
	entries, _ := strconv.Atoi(os.Getenv(entriesVariable))
	births, _ := strconv.Atoi(os.Getenv(birthsVariable))
	s := console.NewStreams(os.Stdin, os.Stdout, os.Stderr)
	c := newNewcomers()
	c.grow(entries)
	conn := ctnetlink.NewConn(c.table.Dial)
	table := live.New([]live.Source{{Conn: conn, Now: time.Now}}, live.Options{})
	o, err := parse(nil, s.Err)
	if err != nil {
		return report(s.Err, err)
	}
	m := newModel(table, o, nil, terminalStyles(s.Out))
	return report(s.Err, screen(m, func(ctx context.Context) error {
		go c.run(births)
		return table.Run(ctx)
	}))
}

// await waits until a text is on the screen, and returns as soon as it was read.
func (s *session) await(text string) {
	s.t.Helper()
	defer time.AfterFunc(testwait.Scale(10*time.Second), s.shown.Broadcast).Stop()
	end := time.Now().Add(testwait.Scale(10 * time.Second))
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.screen.Contains(text) {
		if time.Now().After(end) {
			s.t.Fatalf("%q is not on the screen:\n%s", text, s.screen)
		}
		s.shown.Wait()
	}
}

// BenchmarkKey measures the time from a key to its effect on the screen, while entries
// are born and die in the same process. The keys are typed into the line of a search,
// so that each also asks for other rows.
func BenchmarkKey(b *testing.B) {
	for _, c := range []struct{ entries, births int }{{10_000, 0}, {10_000, 100_000}, {1_000_000, 100_000}} {
		b.Run(fmt.Sprintf("entries=%d/births=%d", c.entries, c.births), func(b *testing.B) {
			b.Setenv(entriesVariable, strconv.Itoa(c.entries))
			b.Setenv(birthsVariable, strconv.Itoa(c.births))
			s := startSession(b, "churn", 120, 40)
			s.until("the table was read", func() bool { return s.screen.Contains("ago") })
			if c.births > 0 {
				s.until("entries die", func() bool {
					return !s.screen.Contains("of about") && !s.screen.Contains("deaths 0/s") && s.screen.Contains("k/s")
				})
			}
			s.typeKeys("/")
			s.shows("rows that have:")
			var times []time.Duration
			typed := ""
			for b.Loop() {
				if len(typed) == 8 {
					s.typeKeys("\x15")
					typed = ""
					s.until("the line is empty", func() bool { return !s.screen.Contains("rows that have: 1") })
				}
				typed += string("1234567890"[len(typed)])
				begun := time.Now()
				s.typeKeys(typed[len(typed)-1:])
				s.await("rows that have: " + typed)
				times = append(times, time.Since(begun))
				time.Sleep(time.Duration(len(times)%7) * 10 * time.Millisecond) // as people do
			}
			slices.Sort(times)
			at := func(p int) float64 { return float64(times[len(times)*p/100].Microseconds()) / 1000 }
			b.ReportMetric(at(50), "ms-p50")
			b.ReportMetric(at(99), "ms-p99")
			b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, "ms-max")
			b.ReportMetric(0, "ns/op")
			s.mu.Lock()
			head := strings.Join([]string{s.screen.Line(0), s.screen.Line(1), s.screen.Line(2)}, "\n")
			s.mu.Unlock()
			b.Log(head)
		})
	}
}
