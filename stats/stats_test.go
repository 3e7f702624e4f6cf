package stats_test

import (
	"testing"

	"github.com/gonntrack/gonntrack/stats"
)

func TestAppendLine(t *testing.T) {
	counters := []stats.Counter{
		{Name: "found", Value: 12}, {Name: "chaintoolong", Value: 0}, {Name: "unknown1", Value: 1},
	}
	got := string(stats.AppendLine(nil, 0, counters))
	if want := "cpu=0   \tfound=12 chaintoolong=0 unknown1=1 \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(stats.AppendLine(nil, 12345, nil)); got != "cpu=12345\t\n" {
		t.Errorf("%q", got)
	}
}

func TestParseProc(t *testing.T) {
	text := "entries  found  drop\n00000010  0000000f zzz\n00000010  00000001 00000002\n\n"
	var lines []byte
	for cpu, counters := range stats.ParseProc(text) {
		lines = stats.AppendLine(lines, cpu, counters)
	}
	want := "cpu=0   \tentries=16 found=15 \ncpu=1   \tentries=16 found=1 drop=2 \n"
	if string(lines) != want {
		t.Errorf("%q, want %q", lines, want)
	}
}

func FuzzParseProc(f *testing.F) {
	f.Add("a b\n1 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		for cpu, counters := range stats.ParseProc(text) {
			if len(counters) == 0 || cpu < 0 {
				t.Fatalf("cpu %d with %d counters", cpu, len(counters))
			}
		}
	})
}
