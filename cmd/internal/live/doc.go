// Package live keeps copies of connection tracking tables in memory, which
// events and dumps keep current, and answers questions about them: which entries
// are the busiest, which groups, how many are born.
//
// A Table is fed by Run. Events tell of births and deaths at once; a dump now and
// then brings counters and timeouts, and finds what ended without an event. Dumps
// take no more than a share of a core: the larger the table, the rarer they are.
// Rates are the differences between two dumps.
//
// An entry takes some 100 bytes. What is not kept of it, such as its master and
// its sequence numbers, has to be asked for.
package live
