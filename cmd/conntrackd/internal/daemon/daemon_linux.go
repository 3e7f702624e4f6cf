// Package daemon is the program conntrackd: the order of its start, its requests, signals
// and end.
package daemon

import "io"

// Main runs a command line and returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int { panic("unwritten") }
