package testwait

import (
	"os"
	"strconv"
	"strings"
)

// runnable returns how many threads want a CPU: the average of the last minute or the number at this moment, whichever
// is larger; 0 where it is not known.
func runnable() float64 {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	return parseLoad(string(b))
}

// parseLoad reads the first and the fourth field of /proc/loadavg (proc_loadavg(5)): the average and the number of
// threads that are runnable.
func parseLoad(text string) float64 {
	fields := strings.Fields(text)
	if len(fields) < 4 {
		return 0
	}
	average, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	now, _, _ := strings.Cut(fields[3], "/")
	n, err := strconv.ParseFloat(now, 64)
	if err != nil {
		return 0
	}
	return max(average, n)
}
