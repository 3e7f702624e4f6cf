package ctnetlink

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// fill puts n TCP entries into the table, in batches.
func fill(b testing.TB, n int) {
	b.Helper()
	s, err := dialKernel()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.SetReadBuffer(4 << 20); err != nil {
		b.Fatal(err)
	}
	const batch = 128
	var (
		e   encoder
		buf = make([]byte, readSize)
		seq uint32
	)
	for i := 0; i < n; {
		e.B = e.B[:0]
		for range min(batch, n-i) {
			en := benchEntry(i)
			seq++
			h := header{Type: wire.SubsysConntrack<<8 | wire.MsgNew, Flags: wire.FlagRequest | wire.FlagCreate | wire.FlagExcl, Seq: seq}
			if i++; i%batch == 0 || i == n {
				h.Flags |= wire.FlagAck
			}
			en.append(&e, h)
		}
		if err := s.Send(e.B); err != nil {
			b.Fatal(err)
		}
		for acked := false; !acked; {
			n, _, err := s.Receive(buf)
			if err != nil {
				b.Fatal(err)
			}
			m := wire.Messages{B: buf[:n]}
			for m.Next() {
				if err := outcome(m.Msg); err != nil {
					b.Fatal("create: ", err)
				}
				acked = acked || m.Msg.Seq() == seq
			}
		}
	}
}

// drain sends a dump's request and receives the answer into a 64 KiB buffer,
// looking at nothing but the lengths of messages: the kernel's own time, the
// limit of what Dump can reach.
func drain(b testing.TB) (entries int) {
	b.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	var (
		e   encoder
		buf = make([]byte, 64<<10)
	)
	(&DumpRequest{}).append(&e, header{Type: wire.SubsysConntrack<<8 | wire.MsgGet, Flags: wire.FlagRequest | wire.FlagDump, Seq: 1})
	if err := unix.Sendto(fd, e.B, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		b.Fatal(err)
	}
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			b.Fatal(err)
		}
		for at := 0; at < n; {
			if binary.NativeEndian.Uint16(buf[at+4:]) == wire.TypeDone {
				return entries
			}
			entries++
			at += wire.Align(int(binary.NativeEndian.Uint32(buf[at:])))
		}
	}
}

// dumpAll reads the table and looks at both tuples of each entry.
func dumpAll(b testing.TB, c *Conn) (entries int, ports uint64) {
	b.Helper()
	for f, err := range c.Dump(&DumpRequest{}) {
		if err != nil {
			b.Fatal(err)
		}
		entries++
		ports += uint64(f.Orig().SrcPort) + uint64(f.Reply().SrcPort)
	}
	return entries, ports
}

// BenchmarkDump reads a table of 200 000 entries by Dump and by drain in turn
// and reports the ratio of their times.
func BenchmarkDump(b *testing.B) {
	const table = 200_000
	c := namespace(b)
	fill(b, table)
	var draining, dumping time.Duration
	b.ReportAllocs()
	for b.Loop() {
		t0 := time.Now()
		n := drain(b)
		t1 := time.Now()
		m, _ := dumpAll(b, c)
		draining += t1.Sub(t0)
		dumping += time.Since(t1)
		if n != table || m != table {
			b.Fatalf("drain listed %d, Dump %d entries of %d", n, m, table)
		}
	}
	each := float64(b.N) * table
	b.ReportMetric(float64(draining.Nanoseconds())/each, "drain-ns/entry")
	b.ReportMetric(float64(dumping.Nanoseconds())/each, "dump-ns/entry")
	b.ReportMetric(float64(dumping)/float64(draining), "dump/drain")
}
