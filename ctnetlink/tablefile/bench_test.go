package tablefile

import (
	"path/filepath"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// benchEntries is the size of the table in benchmarks.
const benchEntries = 50_000

func benchFile(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "table")
	f, c := open(b, path)
	for i := range benchEntries {
		if err := c.Create(entry(i, 100_000)); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// One operation is a whole table: divide for one entry.

// BenchmarkDump reads a dump from the file.
func BenchmarkDump(b *testing.B) {
	_, c := open(b, benchFile(b))
	for b.Loop() {
		n := 0
		for _, err := range c.Dump(&ctnetlink.DumpRequest{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != benchEntries {
			b.Fatal(n)
		}
	}
}

// BenchmarkLoad loads the table to count its entries.
func BenchmarkLoad(b *testing.B) {
	path := benchFile(b)
	for b.Loop() {
		f, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		c := ctnetlink.NewConn(f.Dial)
		if n, _, err := c.Count(); err != nil || n != benchEntries {
			b.Fatal(n, err)
		}
		c.Close()
	}
}

// BenchmarkCommit changes an entry and commits.
func BenchmarkCommit(b *testing.B) {
	f, c := open(b, benchFile(b))
	for i := 0; b.Loop(); i++ {
		if err := c.Update(entry(i%benchEntries, 100_000)); err != nil {
			b.Fatal(err)
		}
		if err := f.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}
