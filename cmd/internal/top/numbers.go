package top

import (
	"math"
	"strconv"
	"time"
)

// Numbers for people, in three digits at most, as format's tables have them: the
// units of bytes are powers of 1024, all others powers of 1000.

// countText returns a number: 9999, 12k, 1.2M.
func countText(v float64) string { return scaled(v, 1000, 10000, "kMGTPE") }

// bytesText returns a number of bytes: 1023, 1.2K, 345M.
func bytesText(v float64) string { return scaled(v, 1024, 1024, "KMGTPE") }

// rateText returns a number per second, without the unit; one below 10 has a digit
// more.
func rateText(v float64) string {
	switch tenths := math.Round(v * 10); {
	case v > 0 && tenths == 0:
		return "<0.1"
	case v > 0 && tenths < 100 && math.Mod(tenths, 10) != 0:
		return strconv.FormatFloat(tenths/10, 'f', 1, 64)
	}
	return countText(v)
}

// scaled writes a number from plain on with a unit.
func scaled(v, base, plain float64, units string) string {
	if !(v > 0) {
		return "0"
	}
	v = math.Round(min(v, 1e19))
	if v < plain {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	unit := -1
	for v >= base-0.5 && unit < len(units)-1 {
		v, unit = v/base, unit+1
	}
	digits := 0
	if math.Round(v*10) < 100 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + units[unit:unit+1]
}

// percentText returns a part of a whole.
func percentText(part, whole uint64) string {
	if whole == 0 {
		return ""
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part > 0 && p < 0.1:
		return "<0.1%"
	case p < 9.95:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(math.Floor(p), 'f', 0, 64) + "%"
}

// durationText returns a duration: 0.4 s, 27 s, 3 min 20 s, 2 h 5 min.
func durationText(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 9950*time.Millisecond:
		if d = d.Round(100 * time.Millisecond); d%time.Second != 0 {
			return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
		}
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return strconv.FormatInt(s, 10) + " s"
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 86400:
		return two(s/3600, "h", s/60%60, "min")
	}
	return two(s/86400, "d", s/3600%24, "h")
}

// two writes a number of a unit, and of the smaller one if there are any.
func two(n int64, unit string, rest int64, smaller string) string {
	text := strconv.FormatInt(n, 10) + " " + unit
	if rest > 0 {
		text += " " + strconv.FormatInt(rest, 10) + " " + smaller
	}
	return text
}

// sizeText returns the size of a terminal.
func sizeText(width, height int) string { return strconv.Itoa(width) + " x " + strconv.Itoa(height) }
