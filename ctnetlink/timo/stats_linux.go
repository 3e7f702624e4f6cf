package timo

import (
	"cmp"
	"slices"

	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// cpuStats returns the fields of s by attribute number (enum
// ctattr_stats_cpu).
func cpuStats(s *conntrack.Stats) map[uint16]*uint32 {
	return map[uint16]*uint32{
		2: &s.Found, 4: &s.Invalid, 5: &s.Ignore, 8: &s.Insert, 9: &s.InsertFailed,
		10: &s.Drop, 11: &s.EarlyDrop, 12: &s.Error, 13: &s.SearchRestart,
	}
}

// expectStats returns the fields of s by attribute number (enum
// ctattr_expect_stats).
func expectStats(s *conntrack.StatsExpect) map[uint16]*uint32 {
	return map[uint16]*uint32{1: &s.New, 2: &s.Create, 3: &s.Delete}
}

// Stats converts the counters of entries of a CPU. Counters that a
// conntrack.Stats does not have are left out.
func Stats(cpu int, counters []ctnetlink.CPUStat) conntrack.Stats {
	to := conntrack.Stats{CPUID: uint16(cpu)}
	fill(cpuStats(&to), counters)
	return to
}

// FromStats converts the counters of entries of a CPU, in the order of their
// numbers.
func FromStats(s conntrack.Stats) (cpu int, counters []ctnetlink.CPUStat) {
	return int(s.CPUID), list(cpuStats(&s))
}

// StatsExpect converts the counters of expectations of a CPU.
func StatsExpect(cpu int, counters []ctnetlink.CPUStat) conntrack.StatsExpect {
	to := conntrack.StatsExpect{CPUID: uint16(cpu)}
	fill(expectStats(&to), counters)
	return to
}

// FromStatsExpect converts the counters of expectations of a CPU, in the order
// of their numbers.
func FromStatsExpect(s conntrack.StatsExpect) (cpu int, counters []ctnetlink.CPUStat) {
	return int(s.CPUID), list(expectStats(&s))
}

func fill(fields map[uint16]*uint32, counters []ctnetlink.CPUStat) {
	for _, c := range counters {
		if field := fields[c.Attr]; field != nil {
			*field = c.Value
		}
	}
}

func list(fields map[uint16]*uint32) []ctnetlink.CPUStat {
	var to []ctnetlink.CPUStat
	for attr, v := range fields {
		to = append(to, ctnetlink.CPUStat{Attr: attr, Value: *v})
	}
	slices.SortFunc(to, func(a, b ctnetlink.CPUStat) int { return cmp.Compare(a.Attr, b.Attr) })
	return to
}
