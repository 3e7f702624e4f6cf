//go:build !linux

// Conntrackd keeps the connection tracking tables of firewalls alike. It needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "conntrackd: there is no connection tracking to keep on this system: it needs Linux")
	os.Exit(1)
}
