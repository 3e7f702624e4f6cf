package top

import (
	"math"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
)

// sparklineSeconds is how much of the history a sparkline shows.
const sparklineSeconds = 300

// The characters of a sparkline, from 0 to the largest value.
var (
	blocks      = []rune("▁▂▃▄▅▆▇█")
	asciiBlocks = []rune("_.:-=+*#")
)

// sparkline draws the last minutes of a value of the history as a row of bars in n
// columns, the latest on the right. Each column shows the largest value of a number
// of whole seconds; it is blank if nothing is known of them. The bars begin at 0, the
// largest value has the tallest.
func (s *styles) sparkline(history []live.Point, n int, value func(*live.Point) float64) string {
	if n <= 0 {
		return ""
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = -1 // unknown
	}
	var largest float64
	if len(history) > 0 {
		// Columns begin at multiples of their seconds: what is in one stays there.
		seconds := int64((sparklineSeconds + n - 1) / n)
		last := history[len(history)-1].Time.Unix() / seconds
		for i := range history {
			p := &history[i]
			column := int64(n-1) - (last - p.Time.Unix()/seconds)
			if column < 0 || column >= int64(n) {
				continue
			}
			v := value(p)
			if !(v > 0) {
				v = 0
			}
			values[column] = max(values[column], v)
			largest = max(largest, v)
		}
	}
	levels := asciiBlocks
	if s.utf8 {
		levels = blocks
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case v < 0:
			b.WriteByte(' ')
		default:
			b.WriteRune(levels[level(v, largest, len(levels))])
		}
	}
	return b.String()
}

// level returns which of n levels shows a value: the lowest only 0, the highest the
// largest value.
func level(v, largest float64, n int) int {
	part := v / largest
	if !(part > 0) || largest <= 0 {
		return 0
	}
	return int(math.Ceil(min(part, 1) * float64(n-1)))
}

// entriesOf and birthsOf are the values of the two sparklines of the head.
func entriesOf(p *live.Point) float64 { return float64(p.Entries) }
func birthsOf(p *live.Point) float64  { return p.Births }
