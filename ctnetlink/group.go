package ctnetlink

import "strconv"

// Group is a multicast group of nfnetlink (enum nfnetlink_groups).
type Group uint32

const (
	GroupNew           Group = 1 // NFNLGRP_CONNTRACK_NEW
	GroupUpdate        Group = 2
	GroupDestroy       Group = 3
	GroupExpectNew     Group = 4
	GroupExpectUpdate  Group = 5
	GroupExpectDestroy Group = 6
)

var groupNames = [...]string{
	GroupNew: "NEW", GroupUpdate: "UPDATE", GroupDestroy: "DESTROY",
	GroupExpectNew: "EXPECT_NEW", GroupExpectUpdate: "EXPECT_UPDATE", GroupExpectDestroy: "EXPECT_DESTROY",
}

// String returns the group's name, such as "NEW" or "EXPECT_NEW", or its number.
func (g Group) String() string {
	if name := nameIn(groupNames[:], int(g)); name != "" {
		return name
	}
	return strconv.FormatUint(uint64(g), 10)
}
