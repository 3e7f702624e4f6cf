// Package show is the texts that conntrackd prints: listings of caches, statistics, the
// status.
//
// Lines and statistics are those of conntrack-tools to the byte: scripts read them. What
// is our own is only in the status.
package show
