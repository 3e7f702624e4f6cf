package cmdline

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/filter"
)

// The values that choose entries may be lists, of numbers also with ranges
// between them, and a ! in front negates the whole: `--dport 80,8000-8099`,
// `-s '!10.0.0.0/8'`. The classic command has single values only.

// readNumber reads one number of a list.
type readNumber func(s string) (n uint64, ok bool)

// decimal reads digits only.
func decimal(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && s[0] != '+'
}

// prefixed reads a number with a base by prefix.
func prefixed(s string) (uint64, bool) {
	if s == "" || digit(s[0]) > 9 {
		return 0, false
	}
	return parseUint(s, math.MaxUint64-1)
}

// listError is the error of a list.
type listError string

func (e listError) Error() string { return string(e) }

// errNothing refuses a list that would select no entry.
const errNothing = listError("it matches no entry")

func listErrorf(element, what string) error { return listError("`" + element + "' " + what) }

// elements calls each with every element of a list, without the ! in front of
// the whole.
func elements(value string, each func(element string) error) (negated bool, err error) {
	rest, negated := strings.CutPrefix(value, "!")
	for element := range strings.SplitSeq(rest, ",") {
		if element == "" {
			return negated, listError("an element is empty")
		}
		if err := each(element); err != nil {
			return negated, err
		}
	}
	return negated, nil
}

// parseRange reads N or N-M.
func parseRange(element string, read readNumber, maximum uint64) (filter.Range, error) {
	from, to, ranged := strings.Cut(element, "-")
	if !ranged {
		to = from
	}
	lo, okLo := read(from)
	hi, okHi := read(to)
	switch {
	case !okLo || !okHi:
		return filter.Range{}, listErrorf(element, "is not a number")
	case hi > maximum || lo > maximum:
		return filter.Range{}, listErrorf(element, "is more than "+strconv.FormatUint(maximum, 10))
	case lo > hi:
		return filter.Range{}, listErrorf(element, "is a reversed range")
	}
	return filter.Range{Min: uint32(lo), Max: uint32(hi)}, nil
}

// parseSet reads a list of numbers up to maximum. One that leaves nothing to
// choose is refused.
func parseSet(value string, read readNumber, maximum uint64) (filter.Set, error) {
	var ranges []filter.Range
	negated, err := elements(value, func(element string) error {
		r, err := parseRange(element, read, maximum)
		ranges = append(ranges, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	set := filter.NewSet(ranges...)
	if negated {
		set = set.Complement(uint32(maximum))
	}
	if len(set) == 0 {
		return nil, errNothing
	}
	return set, nil
}

// parseMarks reads a list of VALUE[/MASK] and FROM-TO[/MASK]. A value outside
// its mask, which no mark can have, is refused.
func parseMarks(value string) (marks []filter.MarkRange, negated bool, err error) {
	negated, err = elements(value, func(element string) error {
		values, mask, masked := strings.Cut(element, "/")
		m := filter.MarkRange{Mask: math.MaxUint32}
		if masked {
			n, ok := prefixed(mask)
			if !ok || n > math.MaxUint32 {
				return listErrorf(element, "is not a mark")
			}
			m.Mask = uint32(n)
		}
		r, err := parseRange(values, prefixed, math.MaxUint32)
		if err != nil {
			return err
		}
		if r.Max&^m.Mask != 0 || r.Min&^m.Mask != 0 {
			return listErrorf(element, "has bits outside its mask")
		}
		m.Min, m.Max = r.Min, r.Max
		marks = append(marks, m)
		return nil
	})
	return marks, negated, err
}

// parseSize reads a number of bytes: a whole number, with K, M, G or T behind
// it for powers of 1024.
func parseSize(s string) (uint64, bool) {
	digits := strings.TrimRight(s, "kKmMgGtT")
	n, ok := decimal(digits)
	shift := 0
	switch strings.ToUpper(s[len(digits):]) {
	case "":
	case "K":
		shift = 10
	case "M":
		shift = 20
	case "G":
		shift = 30
	case "T":
		shift = 40
	default:
		return 0, false
	}
	return n << shift, ok && n > 0 && n <= math.MaxUint64>>shift
}

// durationUnit returns the unit of a letter behind a number of a duration, 0 if
// there is none.
func durationUnit(letter byte) time.Duration {
	switch letter {
	case 's':
		return time.Second
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	case 'd':
		return 24 * time.Hour
	case 'w':
		return 7 * 24 * time.Hour
	}
	return 0
}

// parseDuration reads a duration longer than 0: seconds, or numbers with the
// units s, m, h, d and w, as in 1h30m.
func parseDuration(s string) (time.Duration, bool) {
	total := time.Duration(0)
	for rest := s; rest != "" || s == ""; {
		digits := 0
		for digits < len(rest) && digit(rest[digits]) <= 9 {
			digits++
		}
		n, ok := decimal(rest[:digits])
		if !ok {
			return 0, false
		}
		unit := time.Second
		switch {
		case digits < len(rest):
			unit = durationUnit(rest[digits])
			digits++
		case total > 0:
			unit = 0 // the last number's is missing
		}
		if unit == 0 || n > uint64((math.MaxInt64-total)/unit) {
			return 0, false
		}
		total += time.Duration(n) * unit
		rest = rest[digits:]
	}
	return total, total > 0
}
