package replay

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// Layouts of --at with a date, in the local time zone unless they have one, and
// without, for the day of the first packet. A fraction may follow the seconds.
var (
	dateLayouts  = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"}
	clockLayouts = []string{"15:04:05", "15:04"}
)

// moment reads --at: the time it means in a capture whose first packet is at first.
func moment(text string, first time.Time) (time.Time, error) {
	if after, relative := strings.CutPrefix(text, "+"); relative {
		if n, err := strconv.ParseFloat(after, 64); err == nil && n >= 0 && n < math.MaxInt32 {
			return first.Add(time.Duration(n * float64(time.Second))), nil
		}
		if d, err := time.ParseDuration(after); err == nil && d >= 0 {
			return first.Add(d), nil
		}
		return time.Time{}, wrongMoment(text)
	}
	for _, layout := range dateLayouts {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	for _, layout := range clockLayouts {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			year, month, day := first.Local().Date()
			hour, minute, second := t.Clock()
			return time.Date(year, month, day, hour, minute, second, t.Nanosecond(), time.Local), nil
		}
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n < math.MaxInt32*4 {
		whole, fraction := math.Modf(n)
		return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000), nil
	}
	return time.Time{}, wrongMoment(text)
}

func wrongMoment(text string) error {
	return cmdline.Usagef("unexpected value '%s' with --at: a time is required, such as 14:03, 2026-11-26 14:03:01.5, "+
		"1795701781.5 or +90s", text)
}
