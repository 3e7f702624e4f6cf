package sync

import "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"

// inject changes the kernel's table by a received entry (DisableExternalCache).
func (n *Node) inject(p *peer, t wire.Type, o wire.Object) { panic("unwritten") }

// bypass sends an event at once (DisableInternalCache).
func (n *Node) bypass(t wire.Type, o wire.Object, silent bool) { panic("unwritten") }
