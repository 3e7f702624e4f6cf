package top

import (
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
)

// TestLagIsTold: the head says how late events are, unless nobody could notice it.
func TestLagIsTold(t *testing.T) {
	for _, c := range []struct {
		lag  time.Duration
		want string
	}{
		{99 * time.Millisecond, ""},
		{100 * time.Millisecond, "events 0.1 s late"},
		{2300 * time.Millisecond, "events 2.3 s late"},
	} {
		m := newModel(nil, &options{interval: time.Second}, nil, styles{})
		m.width, m.height = 80, 24
		m.take(statusMsg{live.Status{Lag: c.lag, StatsKnown: true}, nil})
		line := m.countersLine()
		if c.want == "" && strings.Contains(line, "late") || !strings.Contains(line, c.want) {
			t.Errorf("%v: %q", c.lag, line)
		}
	}
}
