package ctnetlink

import (
	"iter"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// CPUStats are the counters of one CPU, since the machine was started or the
// network namespace was made.
type CPUStats struct {
	CPU      int
	Counters []Counter // in the kernel's order
}

// Counter is one counter of a CPU.
type Counter struct {
	// Name is "found", "invalid", "insert_failed" and so on, as conntrack -S
	// shows it; "expect_new", "expect_create" or "expect_delete" for expectations.
	Name string
	// Value is the count. It wraps around.
	Value uint32
}

// names of enum ctattr_stats_cpu. Those that a newer kernel adds are unknown1 to
// unknown4.
var counterNames = []string{1: "searched", "found", "new", "invalid", "ignore", "delete",
	"delete_list", "insert", "insert_failed", "drop", "early_drop", "error",
	"search_restart", "clash_resolve", "chaintoolong",
	"unknown1", "unknown2", "unknown3", "unknown4"}

// names of enum ctattr_expect_stats.
var expectCounterNames = []string{1: "expect_new", "expect_create", "expect_delete"}

// Stats returns an iterator over the counters of each CPU.
func (c *Conn) Stats() iter.Seq2[*CPUStats, error] {
	return c.stats("statistics", wire.SubsysConntrack, wire.MsgGetStatsCPU, counterNames)
}

// StatsExpect returns an iterator over the counters of expectations of each CPU.
func (c *Conn) StatsExpect() iter.Seq2[*CPUStats, error] {
	return c.stats("expectation statistics", wire.SubsysExpect, wire.MsgExpGetStatsCPU, expectCounterNames)
}

func (c *Conn) stats(op string, subsys, msg uint16, names []string) iter.Seq2[*CPUStats, error] {
	return func(yield func(*CPUStats, error) bool) {
		e, h := c.request(subsys, msg, wire.FlagDump)
		e.begin(h)
		e.End()
		// All are received before the first is handed out, so that c may be used
		// inside the loop.
		var all []*CPUStats
		err := c.roundTrip(op, func(msg []byte) error {
			s, err := decodeStats(msg, names)
			if err == nil {
				all = append(all, s)
			}
			return err
		})
		for _, s := range all {
			if !yield(s, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// decodeStats decodes the message about one CPU.
func decodeStats(msg []byte, names []string) (*CPUStats, error) {
	h, b, err := decodeHeader(msg)
	if err != nil {
		return nil, err
	}
	s := &CPUStats{CPU: int(h.ResID)}
	a := wire.Attrs{B: b}
	for a.Next() {
		if name := nameIn(names, int(a.Type)); name != "" && len(a.Val) >= 4 {
			s.Counters = append(s.Counters, Counter{name, be32(a.Val)})
		}
	}
	if a.Malformed {
		return nil, ErrMalformed
	}
	return s, nil
}
