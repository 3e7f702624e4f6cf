// Package help has help texts that more than one program prints.
package help

import _ "embed" // the texts are files

// Replay is the help of conntrack-replay.
//
//go:embed replay.txt
var Replay string
