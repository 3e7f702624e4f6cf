package cmd

// defaultTable is the table that is meant when none is named: the kernel's.
func defaultTable() (tableChoice, error) { return tableChoice{}, nil }
