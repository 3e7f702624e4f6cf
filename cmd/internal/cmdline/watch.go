package cmdline

import (
	"strconv"
	"time"

	"github.com/gonntrack/gonntrack/format"
)

// WatchDefault is the value of --watch if none is given.
const WatchDefault = "2"

// The shortest and the longest time between two looks at the table.
const (
	watchMin = 100 * time.Millisecond
	watchMax = 24 * time.Hour
)

// watchOption reads --watch, whose value is optional.
func watchOption(r *Request, value string) error {
	if value == "" {
		value = WatchDefault
	}
	d, ok := parseDuration(value)
	if !ok {
		n, err := strconv.ParseFloat(value, 64)
		if ok = err == nil && n > 0 && n <= watchMax.Seconds(); ok {
			d = time.Duration(n * float64(time.Second))
		}
	}
	if !ok || d < watchMin || d > watchMax {
		return Usagef("unexpected value '%s' with --watch: seconds from 0.1 to 86400 are required", value)
	}
	r.Watch = d
	return nil
}

// IsWatchValue reports whether a word can be the value of --watch, and no table and
// no key.
func IsWatchValue(word string) bool { return word != "" && (digit(word[0]) <= 9 || word[0] == '.') }

// validateWatch refuses what cannot be repeated beside --watch. The records of all
// looks are one stream, so that there is no JSON document.
func validateWatch(r *Request) error {
	out := &r.Output
	switch {
	case !r.Has(OptWatch):
		return nil
	case r.Compare != 0:
		return Usagef("--watch cannot be used with --growing and --idle")
	case r.Has(OptExplain):
		return Usagef("--watch cannot be used with --explain")
	case r.Zero:
		return Usagef("--watch cannot be used with -z")
	case !oneOfStyles(out.Style, format.StyleClassic, format.StyleTable, format.StyleJSON, format.StyleJSONL,
		format.StyleCSV):
		return Usagef("--watch can only be used with -o table, json, jsonl and csv")
	case out.Style == format.StyleJSON:
		out.Style = format.StyleJSONL
	}
	out.Looks = true
	return nil
}
