package timo

import (
	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// field is a field of a type of ti-mo/conntrack and the name of its counter.
type field struct {
	name  string
	value *uint32
}

// cpuStats returns the fields of s in the kernel's order.
func cpuStats(s *conntrack.Stats) []field {
	return []field{
		{"found", &s.Found}, {"invalid", &s.Invalid}, {"ignore", &s.Ignore}, {"insert", &s.Insert},
		{"insert_failed", &s.InsertFailed}, {"drop", &s.Drop}, {"early_drop", &s.EarlyDrop}, {"error", &s.Error},
		{"search_restart", &s.SearchRestart},
	}
}

// expectStats returns the fields of s in the kernel's order.
func expectStats(s *conntrack.StatsExpect) []field {
	return []field{{"expect_new", &s.New}, {"expect_create", &s.Create}, {"expect_delete", &s.Delete}}
}

// Stats converts the counters of entries of a CPU. Counters that a
// conntrack.Stats does not have are left out.
func Stats(s *ctnetlink.CPUStats) conntrack.Stats {
	to := conntrack.Stats{CPUID: uint16(s.CPU)}
	fill(cpuStats(&to), s)
	return to
}

// FromStats converts the counters of entries of a CPU.
func FromStats(s conntrack.Stats) *ctnetlink.CPUStats { return list(int(s.CPUID), cpuStats(&s)) }

// StatsExpect converts the counters of expectations of a CPU.
func StatsExpect(s *ctnetlink.CPUStats) conntrack.StatsExpect {
	to := conntrack.StatsExpect{CPUID: uint16(s.CPU)}
	fill(expectStats(&to), s)
	return to
}

// FromStatsExpect converts the counters of expectations of a CPU.
func FromStatsExpect(s conntrack.StatsExpect) *ctnetlink.CPUStats {
	return list(int(s.CPUID), expectStats(&s))
}

func fill(fields []field, s *ctnetlink.CPUStats) {
	for _, f := range fields {
		for _, c := range s.Counters {
			if c.Name == f.name {
				*f.value = c.Value
			}
		}
	}
}

func list(cpu int, fields []field) *ctnetlink.CPUStats {
	to := &ctnetlink.CPUStats{CPU: cpu}
	for _, f := range fields {
		to.Counters = append(to.Counters, ctnetlink.Counter{Name: f.name, Value: *f.value})
	}
	return to
}
