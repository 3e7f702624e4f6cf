//go:build !linux

// Package poller asks whether the poller of the Go runtime can be started.
package poller

// Check returns nil: limits of descriptors as small as that are not looked for
// here.
func Check(int) error { return nil }
