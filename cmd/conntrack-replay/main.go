// Conntrack-replay takes the packets of captures through a connection tracking
// table, and shows what Linux would have made of them. `conntrack replay' runs it.
package main

import (
	"os"

	"github.com/gonntrack/gonntrack/cmd/internal/replay"
)

func main() { os.Exit(replay.Main()) }
