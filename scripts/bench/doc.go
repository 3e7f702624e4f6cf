// Bench measures the program against its goals: how long a command takes, what
// it holds in memory, and which events it loses, beside the reference program
// and beside a limit, the least that the kernel lets anyone do. It must run as
// root, on Linux.
//
//	go run ./scripts/bench                          everything, a million entries
//	go run ./scripts/bench --entries 100000         a quick run
//	go run ./scripts/bench --rows list,src,burst    some rows
//	go run ./scripts/bench --markdown docs/performance.md
//	go run ./scripts/bench conntrackd --help        pairs of daemons
//
// # How it measures
//
// Whole processes, from fork to exit, several times, side by side (A B A B …),
// after a run of each that does not count; the median is shown. The limit of a
// listing is the drain: a loop that sends the same dump request and receives
// the answer into a 64 KiB buffer, looking at nothing but message lengths. It
// is a process too: this program, with the name of a role as first argument.
//
// Correctness comes first: what the two programs print about one table is
// compared line by line, every deletion, change and load is counted, and every
// event is accounted for. A difference makes the exit status 1; a goal that is
// missed does not.
//
// # What it touches
//
// The tables are in a network namespace of its own, which ends with it. The
// table's bound and the size of its hash (net.netfilter.nf_conntrack_max and
// nf_conntrack_buckets) hold for the whole machine and can be set in the
// first namespace only: they are raised for the time of the run, and a process
// that does nothing else puts them back, however the run ends.
package main
