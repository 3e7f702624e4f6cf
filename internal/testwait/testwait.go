// Package testwait bounds how long tests wait for something that must happen.
//
// A test that waits should go on as soon as it has happened, and fail only when it never will, however busy the
// machine is. So the bounds are far above what an idle machine needs, and they grow with the load.
package testwait

import (
	"os"
	"runtime"
	"strconv"
	"time"
)

// EnvFactor names the environment variable that multiplies every bound: a number of at least 1.
const EnvFactor = "TEST_WAIT_FACTOR"

// pollInterval is the time between two calls of a condition.
const pollInterval = 5 * time.Millisecond

// maxLoad is the load from which on bounds grow no further: a test that fails should do so before its reader gives up.
const maxLoad = 8

// Scale returns the bound d as it is now: multiplied by the number of runnable threads per CPU where that is above 1,
// up to maxLoad, and by the variable EnvFactor.
func Scale(d time.Duration) time.Duration {
	factor := min(max(1, runnable()/float64(runtime.NumCPU())), maxLoad)
	if f, err := strconv.ParseFloat(os.Getenv(EnvFactor), 64); err == nil && f > 1 {
		factor *= f
	}
	return time.Duration(float64(d) * factor)
}

// For calls condition every few milliseconds until it holds, and reports whether it did within the bound d.
func For(d time.Duration, condition func() bool) bool {
	for start := time.Now(); ; time.Sleep(pollInterval) {
		if condition() {
			return true
		}
		// Scaled anew each time: the load may have come since the start.
		if passed := time.Since(start); passed > d && passed > Scale(d) {
			return false
		}
	}
}

// Size returns how much a test that only computes does: all, or fewer with the race detector, which makes it some ten
// times as slow and finds no more by repeating it.
func Size(all, fewer int) int {
	if Race {
		return fewer
	}
	return all
}
