package top

import (
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
)

// history returns a point each second up to a time.
func history(end int64, births ...float64) []live.Point {
	points := make([]live.Point, len(births))
	for i, b := range births {
		points[i] = live.Point{Time: time.Unix(end-int64(len(births)-1-i), 0), Entries: 2 * int(b), Births: b}
	}
	return points
}

func TestSparkline(t *testing.T) {
	ascii, blocks := &styles{}, &styles{utf8: true}
	many := make([]float64, 2*sparklineSeconds)
	for i := range many {
		many[i] = float64(i)
	}
	for _, test := range []struct {
		name   string
		style  *styles
		points []live.Point
		n      int
		want   string
	}{
		{"nothing is known", blocks, nil, 4, "    "},
		{"no room", blocks, history(900, 1, 2), 0, ""},
		{"levels", blocks, history(900, 0, 1, 2, 3, 4, 5, 6, 7), sparklineSeconds, "▁▂▃▄▅▆▇█"},
		{"ASCII", ascii, history(900, 0, 1, 2, 3, 4, 5, 6, 7), sparklineSeconds, "_.:-=+*#"},
		{"all the same", blocks, history(900, 5, 5, 5), sparklineSeconds, "███"},
		{"all zero", blocks, history(900, 0, 0, 0), sparklineSeconds, "▁▁▁"},
		// 300 seconds in 10 columns are 30 in each, those from 870 to 899 in the last but one.
		{"peak in a column", blocks, history(900, 7, 0, 0), 10, "        █▁"},
		{"part of the last column", blocks, history(900, 7, 1), 10, "        █▂"},
		{"older ones go", blocks, history(599, many...), 10, "▅▆▆▆▇▇▇███"},
		{"not a number", blocks, history(900, math.NaN(), 1), sparklineSeconds, "▁█"},
		{"infinite", blocks, history(900, 1, math.Inf(1)), sparklineSeconds, "▁▁"},
		{"negative", blocks, history(900, -1, 1), sparklineSeconds, "▁█"},
	} {
		got := test.style.sparkline(test.points, test.n, birthsOf)
		if n := utf8.RuneCountInString(got); n != test.n {
			t.Errorf("%s: %d columns, want %d", test.name, n, test.n)
		}
		if want := []rune(test.want); string([]rune(got)[test.n-min(len(want), test.n):]) != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := blocks.sparkline(history(900, 7, 1), 10, entriesOf); got != "        █▂" {
		t.Errorf("entries: %q", got)
	}
}

// What is in a column stays there while time passes, and a time without points is
// blank.
func TestSparklineMoves(t *testing.T) {
	style := &styles{utf8: true}
	points := history(899, 1, 0, 0, 0, 0)
	before := style.sparkline(points, 60, birthsOf) // 5 seconds a column
	for second := int64(900); second < 905; second++ {
		points = append(points, live.Point{Time: time.Unix(second, 0)})
		after := []rune(style.sparkline(points, 60, birthsOf))
		if got, want := string(after[:59]), string([]rune(before)[1:]); got != want {
			t.Fatalf("%d seconds later: %q, want %q", second-899, got, want)
		}
	}
	points = append(points, live.Point{Time: time.Unix(921, 0)})
	if got, want := style.sparkline(points, 60, birthsOf)[len("  "):], "█▁   ▁"; got[len(got)-len(want):] != want {
		t.Errorf("after a pause: %q, want %q", got, want)
	}
}
