// Package help has help texts that more than one program prints.
package help

import _ "embed" // the texts are files

// Replay is the help of conntrack-replay.
//
//go:embed replay.txt
var Replay string

// Top is the help of conntrack-top.
//
//go:embed top.txt
var Top string
