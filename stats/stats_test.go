package stats_test

import (
	"testing"

	"github.com/gonntrack/gonntrack/stats"
)

func TestAppendLine(t *testing.T) {
	counters := []stats.Counter{
		{Name: stats.Name(2), Value: 12}, {Name: stats.Name(15), Value: 0}, {Name: stats.Name(16), Value: 1},
	}
	got := string(stats.AppendLine(nil, 0, counters))
	if want := "cpu=0   \tfound=12 chaintoolong=0 unknown1=1 \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(stats.AppendLine(nil, 12345, nil)); got != "cpu=12345\t\n" {
		t.Errorf("%q", got)
	}
	if stats.Name(20) != "" || stats.Name(0) != "" || stats.ExpectName(3) != "expect_delete" || stats.ExpectName(4) != "" {
		t.Error("names past the ends")
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
