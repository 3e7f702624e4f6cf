package testwait

import (
	"testing"
	"time"
)

func TestScale(t *testing.T) {
	t.Setenv(EnvFactor, "")
	if got := Scale(time.Second); got < time.Second {
		t.Errorf("without a factor: %v", got)
	}
	t.Setenv(EnvFactor, "0.1")
	if got := Scale(time.Second); got < time.Second {
		t.Errorf("with a factor below 1: %v", got)
	}
	t.Setenv(EnvFactor, "30")
	if got := Scale(time.Second); got < 30*time.Second {
		t.Errorf("30 times: %v", got)
	}
}

func TestFor(t *testing.T) {
	calls := 0
	if !For(time.Minute, func() bool { calls++; return calls == 3 }) || calls != 3 {
		t.Errorf("%d calls of a condition that holds the third time", calls)
	}
	if For(time.Millisecond, func() bool { return false }) {
		t.Error("a condition that never holds did")
	}
}
