package top

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// testTime is the time that the clock of a test shows.
var testTime = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// statuses are states of tables, from the first moment to the worst.
var statuses = map[string]live.Status{
	"reading": {Entries: 340000, Total: 1000000, Maximum: 2097152, Reading: true, Asked: time.Second, Interval: time.Second},
	"quiet": {Entries: 12, Total: 12, Maximum: 262144, Complete: testTime.Add(-400 * time.Millisecond), Asked: time.Second,
		Interval: time.Second, Births: 0.3, Deaths: 0.1, RatesKnown: true, Packets: 15, Bytes: 1536, StatsKnown: true},
	"busy": {Entries: 1000000, Total: 1000000, Maximum: 2097152, Marked: 17, Complete: testTime.Add(-12 * time.Second),
		Asked: time.Second, Interval: 27 * time.Second, Share: 0.1, Births: 98765, Deaths: 101234, RatesKnown: true,
		Packets: 1234567, Bytes: 1.5e9, StatsKnown: true},
	"full": {Entries: 262144, Total: 262144, Maximum: 262144, Complete: testTime, Asked: time.Second, Interval: time.Second,
		Births: 12345, Deaths: 12345, AccountingOff: true, StatsKnown: true, Drops: 15234, EarlyDrops: 23, InsertFailed: 0.2,
		Loss: ctnetlink.Loss{Overruns: 3, Lost: 123456}},
	"no rights": {Entries: 5, Total: 5, EventsOff: "Operation not permitted (CAP_NET_ADMIN is needed)", Complete: testTime,
		Asked: time.Second, Interval: time.Second},
	"gone": {Entries: 5, Total: 5, Maximum: 1000, Complete: testTime.Add(-time.Hour), Asked: time.Second,
		Interval: time.Second, Failed: errors.New("table file /tmp/x\x1b[2J: No such file or directory")},
	"largest": {Entries: math.MaxInt32, Total: math.MaxUint32, Maximum: math.MaxUint32, Marked: math.MaxInt32,
		Complete: testTime.Add(-10000 * time.Hour), Asked: 24 * time.Hour, Interval: 240 * time.Hour, Share: 0.1,
		Births: 1e12, Deaths: 1e300, RatesKnown: true, Packets: math.Inf(1), Bytes: math.NaN(), StatsKnown: true,
		Drops: 1e18, EarlyDrops: 1e17, InsertFailed: 1e16, Loss: ctnetlink.Loss{Lost: math.MaxUint64 >> 1, Dropped: 1 << 62}},
	"some count": {Entries: 5, Total: 5, Complete: testTime, Asked: time.Second, Interval: time.Second, AccountingPartly: true,
		RatesKnown: true, Packets: 7, Bytes: 8},
	"dump":     {Entries: 5, Total: 5, Complete: testTime, Asked: time.Second, Interval: time.Second, ClockStopped: true},
	"nonsense": {Entries: -1, Births: -5, Deaths: -1, Packets: -1, RatesKnown: true, Complete: testTime.Add(time.Hour)},
}

// testModel returns a model with a size whose clock stands still.
func testModel(width, height int, s styles) *Model {
	o, err := parse(nil, console.Discard().Err)
	if err != nil {
		panic(err)
	}
	m := newModel(live.New(nil, live.Options{}), o, nil, s)
	m.now = func() time.Time { return testTime }
	m.width, m.height = width, height
	return m
}

var number = regexp.MustCompile(`[0-9][0-9.]*[kKMGTPE]?`)

// Every line fits, is as high as it may be, and has no number that a wider terminal
// would show differently, except for those that are shortened with a unit.
func TestHeadFits(t *testing.T) {
	for name, status := range statuses {
		wide := testModel(400, 100, styles{})
		wide.take(statusMsg{status, nil})
		known := map[string]bool{}
		for _, line := range wide.head() {
			for _, n := range number.FindAllString(line, -1) {
				known[n] = true
			}
		}
		for _, v := range []float64{float64(status.Total), float64(status.Maximum), float64(status.Entries), float64(status.Loss.Lost + status.Loss.Dropped)} {
			known[countText(v)] = true
		}
		for i := range 6 {
			known[fmt.Sprint(i)] = true
		}
		for _, height := range []int{10, 14, 40} {
			for width := leastWidth; width <= 300; width += testwait.Size(1, 3) + width/60*8 {
				m := testModel(width, height, styles{utf8: width%2 == 0, color: width%3 == 0})
				m.take(statusMsg{status, history(testTime.Unix(), 1, 2, 3)})
				lines := m.head()
				if len(lines) > height/2+1 {
					t.Errorf("%s at %dx%d: %d lines of head", name, width, height, len(lines))
				}
				for _, line := range lines {
					if n := ansi.StringWidth(line); n > width {
						t.Fatalf("%s at %dx%d: %d columns: %q", name, width, height, n, line)
					}
					for _, n := range number.FindAllString(ansi.Strip(line), -1) {
						if !known[strings.TrimSuffix(n, ".")] {
							t.Fatalf("%s at %dx%d: %s is in no wider line: %q", name, width, height, n, ansi.Strip(line))
						}
					}
				}
				text, _ := m.screen()
				if rows := strings.Count(text, "\n") + 1; rows != height {
					t.Fatalf("%s at %dx%d: %d rows", name, width, height, rows)
				}
				if strings.Contains(text, "\x1b[2J") {
					t.Fatalf("%s: an error clears the screen", name)
				}
			}
		}
	}
}

// What is wrong is said at every size, and what can be done.
func TestNotes(t *testing.T) {
	for _, c := range []struct{ status, want string }{
		{"full", "raise"}, {"full", "drops 15k/s"}, {"full", "lost 123k"}, {"full", "not counted"},
		{"some count", "Not all are counted"}, {"some count", "7 pkt/s"}, {"dump", "no rates"},
		{"gone", "No such file or directory"}, {"no rights", "No events: Operation not permitted"}, {"reading", "reading 340000 of about 1000000"},
		{"busy", "every 27 s"}, {"quiet", "read 0.4 s ago"}, {"busy", "+99k/s -101k/s"},
	} {
		m := testModel(leastWidth, leastHeight, styles{})
		m.take(statusMsg{statuses[c.status], nil})
		if text, _ := m.screen(); !strings.Contains(strings.ReplaceAll(text, "\n", " "), c.want) {
			t.Errorf("%s: %q is not said:\n%s", c.status, c.want, text)
		}
	}
	m := testModel(120, 40, styles{})
	m.take(statusMsg{statuses["busy"], nil})
	text, _ := m.screen()
	if want := "every 27 s, so that reading takes no more than a tenth of a core (1 s was asked)"; !strings.Contains(text, want) {
		t.Errorf("%q is not said:\n%s", want, text)
	}
	m.take(statusMsg{statuses["full"], nil})
	if text, _ := m.screen(); !strings.Contains(text, "net.netfilter.nf_conntrack_acct=1") {
		t.Errorf("the sysctl for counters is not said:\n%s", text)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{countText(0), "0"}, {countText(9999), "9999"}, {countText(10000), "10k"}, {countText(999499), "999k"},
		{countText(999500), "1.0M"}, {countText(-1), "0"}, {countText(math.NaN()), "0"}, {countText(math.Inf(1)), "10E"},
		{bytesText(1023), "1023"}, {bytesText(1024), "1.0K"}, {bytesText(1.5e9), "1.4G"},
		{rateText(0.02), "<0.1"}, {rateText(0.06), "0.1"}, {rateText(math.NaN()), "0"}, {rateText(0.3), "0.3"}, {rateText(9.94), "9.9"}, {rateText(9.96), "10"}, {rateText(3), "3"},
		{percentText(0, 0), ""}, {percentText(1, 262144), "<0.1%"}, {percentText(262143, 262144), "99%"},
		{percentText(12345, 262144), "4.7%"},
		{durationText(400 * time.Millisecond), "0.4 s"}, {durationText(time.Second), "1 s"}, {durationText(-1), "0 s"},
		{durationText(200 * time.Second), "3 min 20 s"}, {durationText(2 * time.Hour), "2 h"},
		{durationText(59600 * time.Millisecond), "1 min"}, {durationText(50 * time.Hour), "2 d 2 h"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
