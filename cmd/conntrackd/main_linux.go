// Conntrackd keeps the connection tracking tables of firewalls alike, so that one
// takes over the connections of another: conntrackd(8).
package main

import (
	"os"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/daemon"
)

func main() {
	os.Exit(daemon.Main(os.Args, os.Stdout, os.Stderr))
}
