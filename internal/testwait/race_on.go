//go:build race

package testwait

// Race reports whether the race detector is on.
const Race = true
