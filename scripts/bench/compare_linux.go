package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
)

// compareRole compares two listings of one table, whatever the order of their
// lines: compare FILE FILE. What differs from one moment to the next is put
// aside. It runs as a process because it takes memory.
func compareRole(args []string) error {
	if len(args) != 2 {
		return errors.New("two files are needed")
	}
	a, err := readListing(args[0])
	if err != nil {
		return err
	}
	b, err := readListing(args[1])
	if err != nil {
		return err
	}
	const shown = 5
	differ := 0
	tell := func(sign string, line []byte) {
		if differ++; differ <= shown {
			fmt.Fprintf(os.Stderr, "%s %s\n", sign, line)
		}
	}
	lines := [2]int{len(a), len(b)}
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = bytes.Compare(a[0], b[0])
		}
		switch {
		case order < 0:
			tell("-", a[0])
		case order > 0:
			tell("+", b[0])
		}
		if order <= 0 {
			a = a[1:]
		}
		if order >= 0 {
			b = b[1:]
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d lines differ (%d and %d lines)", differ, lines[0], lines[1])
	}
	fmt.Println(lines[0])
	return nil
}

// readListing returns the lines of a file, normalised and sorted.
func readListing(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	for line := range bytes.Lines(text) {
		lines = append(lines, normalise(bytes.TrimSuffix(line, []byte("\n"))))
	}
	slices.SortFunc(lines, bytes.Compare)
	return lines, nil
}

// normalise writes N, in place, for what drifts in a classic line: the timeout,
// which is the third word, and the numbers of use= and id=.
func normalise(line []byte) []byte {
	out := line[:0] // never longer than what was read
	word, number := 0, false
	before := byte(' ')
	for _, c := range line {
		start := before == ' ' && c != ' '
		before = c
		if start {
			word++
		}
		digit := c >= '0' && c <= '9'
		if number = digit && (number || word == 3 && start); number || digit && afterName(out) {
			if len(out) == 0 || out[len(out)-1] != 'N' {
				out = append(out, 'N')
			}
			number = true
			continue
		}
		out = append(out, c)
	}
	return out
}

func afterName(b []byte) bool {
	return bytes.HasSuffix(b, []byte(" use=")) || bytes.HasSuffix(b, []byte(" id="))
}

// compare lists the table with both programs and compares what they print.
func (b *bench) compare(args ...string) error {
	if b.reference == "" {
		return nil
	}
	ours, ref := b.file("ours"), b.file("reference")
	for _, c := range []*contestant{
		{argv: append([]string{b.reference}, args...), output: ref},
		{argv: append([]string{b.program}, args...), output: ours},
	} {
		o, err := b.once(c, false)
		if err != nil {
			return err
		}
		if err := c.judge(o); err != nil {
			b.fail("%v", err)
			return nil
		}
	}
	o, err := b.once(&contestant{argv: role("compare", ref, ours)}, false)
	if err != nil {
		return err
	}
	os.Remove(ours)
	os.Remove(ref)
	if o.status != 0 {
		b.fail("the listings of %q differ, - the reference, + ours:\n%s", args, o.stderr)
	}
	return nil
}
