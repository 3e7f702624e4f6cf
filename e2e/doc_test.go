// Package e2e drives the built program from outside, the way a user does: it imports no package of ours.
//
// Each file of testdata is a scenario, a text to read from top to bottom. It runs in a network namespace of its own,
// with an empty conntrack table, through our program and, where Debian's conntrack 1.4.7 is installed,
// through that one too: both must show the same. Nothing outside the namespace is touched, and no right is needed
// beyond that of making namespaces. What needs no packets, rules or sysctls also runs through our program with a table
// in a file (CONNTRACK_TABLE), as the contestant engine: on systems other than Linux, only that.
//
//	go test ./e2e                              everything (with -v the last line tells what ran)
//	go test ./e2e -run 'Scenarios/ours/nat'    some scenarios, one contestant
//	E2E_ONLY=reference go test ./e2e           only the reference (the program need not even build); or =ours, =engine
//	E2E_PROGRAM=/path/conntrack go test ./e2e  a program that is built already
//
// # The notation
//
// A scenario is a testscript (github.com/rogpeppe/go-internal/testscript: comments, conditions, files at the end) in
// which commands and what they say can be written down as in a terminal:
//
//	$ conntrack -L -p tcp
//	> tcp      6 {secs} ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [ASSURED] mark=0 use=1
//	! conntrack {v}: 1 flow entries have been shown.
//	? 0
//
// The line after the prompt is given to sh; a backslash at its end continues it. Below it stand
//
//	> a line of stdout
//	~ a line of stdout which may change places with the ~ lines beside it
//	! a line of stderr
//	? the exit status; without this line it must be 0
//
// and nothing may be missing and nothing be left over, except where `> ...` or `! ...` allows any further lines. The
// characters must agree, but for these:
//
//	{secs} {id} {port}     any lower-case word: a decimal number
//	{90..100}              a number between the two
//	{ID}                   any upper-case word: the number that it matched first, again; also $ID in later commands
//	{word} {any}           something without blanks; anything, also nothing
//	{v}                    v1.4.9 (conntrack-tools), the level we are compatible with; for the reference its own
//
// Before the prompt may stand the name of a namespace of the lab, and before that `eventually`: the command is then
// repeated until it says what is expected, or 5 seconds have passed. A condition may stand before any of these lines;
// a comment above tells why the two differ. [ours] is our program on either table and [reference] the other one,
// [kernel] is either program on the kernel's table and [engine] ours on a file's.
//
//	eventually client$ ping -c 1 192.0.2.2
//	> ...
//
// A command that ends in &NAME& runs in the background; the script goes on when it has said the lines below it. `stop NAME`
// waits for as many lines as it expects, interrupts it as Ctrl-C does, and compares all it said; `stop NAME TERM` sends
// SIGTERM. What was not stopped is killed at the end.
//
//	$ conntrack -E &events&
//	listening
//	...
//	stop events
//	>     [NEW] ...
//
// # Commands of the harness
//
//	sysctl KEY=VALUE...    in the script's namespace
//	listening [N]          waits until N (1) sockets there listen to events, or follow the table's file
//	lab [CLIENT...]        builds clients, a router (the script's own namespace) and a server: see lab_linux_test.go
//
// In the first comment, `# ours only: REASON` keeps a scenario from the reference, `# kernel only: REASON` from a table file (where
// the script shows that it needs the kernel, no mark is needed), and `# needs: nft ip ping` names the programs
// without which it is skipped. Skips are counted and told at the end.
package e2e
