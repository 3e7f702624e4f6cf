package replay

// Help returns the help of the program.
func Help() string { return "" }
