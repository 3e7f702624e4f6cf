// Package replay is the program conntrack-replay: it takes the packets of captures
// through a connection tracking table of the process, and shows what became of
// them and of the table.
package replay
