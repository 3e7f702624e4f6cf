//go:build !linux || mips || mipsle || mips64 || mips64le

package cmd

// defaultSignals does nothing: elsewhere, and on MIPS, whose numbers are others,
// the Go runtime's handlers stay.
func defaultSignals() {}
