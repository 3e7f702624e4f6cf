package format

import (
	"math"
	"testing"
)

func TestUnits(t *testing.T) {
	for v, want := range map[uint64]string{0: "0", 999: "999", 1023: "1023", 1024: "1.0K", 1536: "1.5K", 10189: "10K", 10188: "9.9K",
		1023<<10 + 511: "1023K", 1023<<10 + 512: "1.0M", 5 << 30: "5.0G", math.MaxUint64: "16E"} {
		if got := string(appendBytes(nil, v)); got != want {
			t.Errorf("%d bytes are %q, want %q", v, got, want)
		}
	}
	for v, want := range map[uint64]string{0: "0", 9999: "9999", 10000: "10k", 999499: "999k", 999500: "1.0M", 1234567: "1.2M", math.MaxUint64: "18E"} {
		if got := string(appendCount(nil, v)); got != want {
			t.Errorf("%d are %q, want %q", v, got, want)
		}
	}
	for v, want := range map[uint64]string{0: "0s", 59: "59s", 60: "1m", 119: "1m59s", 3600: "1h", 3661: "1h1m", 431984: "4d23h", 86400: "1d", math.MaxUint32: "49710d6h"} {
		if got := string(appendDuration(nil, v)); got != want {
			t.Errorf("%d seconds are %q, want %q", v, got, want)
		}
	}
}
