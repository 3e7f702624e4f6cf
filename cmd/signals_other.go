//go:build !linux

package cmd

// defaultSignals does nothing: elsewhere the Go runtime's handlers stay.
func defaultSignals() {}
