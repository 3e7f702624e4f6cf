package format

import "math"

// Numbers for people, in three digits at most.

// The units of bytes are powers of 1024, as with --min-bytes; all others are
// powers of 1000.
const (
	byteUnits  = " KMGTPE"
	countUnits = " kMGTPE"
)

// appendScaled appends a number with a unit: 1.2K or 345M. Numbers below the
// first unit, and counts below ten thousand, are written as they are.
func appendScaled(b []byte, v uint64, base float64, units string) []byte {
	if v < uint64(base) || base == 1000 && v < 10000 {
		return appendUint(b, v)
	}
	n, unit := float64(v), 0
	// A number that would be rounded up to the base is in the next unit.
	for n >= base-0.5 && unit < len(units)-1 {
		n, unit = n/base, unit+1
	}
	if tenths := uint64(math.Round(n * 10)); tenths < 100 {
		b = append(b, byte('0'+tenths/10), '.', byte('0'+tenths%10))
	} else {
		b = appendUint(b, uint64(math.Round(n)))
	}
	return append(b, units[unit])
}

func appendBytes(b []byte, v uint64) []byte { return appendScaled(b, v, 1024, byteUnits) }
func appendCount(b []byte, v uint64) []byte { return appendScaled(b, v, 1000, countUnits) }

// timeUnits are the units of durations.
var timeUnits = [...]struct {
	seconds uint64
	name    string
}{{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}}

// splitDuration returns the index of the largest unit of a duration, how many of
// it there are, and how many of the next smaller unit.
func splitDuration(seconds uint64) (unit int, n, rest uint64) {
	for unit < len(timeUnits)-1 && seconds < timeUnits[unit].seconds {
		unit++
	}
	n = seconds / timeUnits[unit].seconds
	if unit+1 < len(timeUnits) {
		rest = seconds % timeUnits[unit].seconds / timeUnits[unit+1].seconds
	}
	return unit, n, rest
}

// appendDuration appends a duration in its two largest units: 4d23h.
func appendDuration(b []byte, seconds uint64) []byte {
	unit, n, rest := splitDuration(seconds)
	b = append(appendUint(b, n), timeUnits[unit].name[0])
	if rest > 0 {
		b = append(appendUint(b, rest), timeUnits[unit+1].name[0])
	}
	return b
}

// durationInWords returns a duration in its two largest units: 4 days 23 hours.
func durationInWords(seconds uint64) string {
	unit, n, rest := splitDuration(seconds)
	text := plural(n, timeUnits[unit].name)
	if rest > 0 {
		text += " " + plural(rest, timeUnits[unit+1].name)
	}
	return text
}
