// Package ruleset reads the part of nft's language that decides about
// connection tracking, and runs it as the packet filter of an in-process table
// ([engine.Ruleset]).
//
//	rules, err := ruleset.Parse("nat.nft", text, ruleset.Options{})
//	table := engine.New(engine.Options{Rules: rules})
//
// # Language
//
// Tables of the families ip, ip6 and inet; chains with and without a hook, jump,
// goto and return; sets; definitions ($name). The commands add, create, table,
// "flush ruleset" and "add rule" are read as in a file for nft -f.
//
// A rule may test addresses, protocols, ports, TCP flags, ICMP types, interfaces,
// ct state, status, direction and mark, against values, lists, ranges, sets and
// verdict maps. It may do: accept, drop, reject, notrack, snat, dnat, masquerade,
// redirect, ct helper set, ct timeout set, ct zone set, ct mark set, counter, log
// and comment; log has no effect.
//
// Whatever else a file has is refused with its line, as a rule that is passed
// over would make other verdicts than the machine's. The language is that of the
// man page nft(8).
package ruleset
