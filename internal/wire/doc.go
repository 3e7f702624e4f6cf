// Package wire is the netlink that tables and their clients have in common: a
// walker over attributes, a walker over messages, a builder of both, and the
// numbers. It allocates nothing and knows no meaning.
package wire
