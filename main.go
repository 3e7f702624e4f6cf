// The Go runtime would hold two files of the control group open, which are much
// of a small limit of descriptors (ulimit -n).
//
//go:debug containermaxprocs=0

// Conntrack shows and changes the connection tracking table. It is a drop-in
// replacement for the command of the same name of conntrack-tools.
package main

import (
	"os"

	"github.com/gonntrack/gonntrack/cmd"
)

func main() { os.Exit(cmd.Main()) }
