// Conntrack-top shows connection tracking tables on a screen that is kept
// current. `conntrack top' runs it.
package main

import (
	"os"

	"github.com/gonntrack/gonntrack/cmd/internal/top"
)

func main() { os.Exit(top.Main()) }
