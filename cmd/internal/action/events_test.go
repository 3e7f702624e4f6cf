package action

import (
	"math"
	"testing"
)

// TestBytesOf: --queue takes up to 2^20 MiB, which an int of 32 bits cannot
// count in bytes.
func TestBytesOf(t *testing.T) {
	for mib, want := range map[int]int64{0: 0, 1: 1 << 20, 2047: 2047 << 20, 2048: 2048 << 20, 4096: 4096 << 20, 1 << 20: 1 << 40} {
		if got := bytesOf(mib); int64(got) != min(want, math.MaxInt) {
			t.Errorf("%d MiB are %d bytes, want %d", mib, got, min(want, math.MaxInt))
		}
	}
}
