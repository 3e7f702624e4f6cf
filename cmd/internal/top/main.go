package top

// Main runs the command line of the process and returns the exit status.
func Main() int { return 1 }
