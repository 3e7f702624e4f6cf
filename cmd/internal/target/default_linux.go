package target

// defaultFile returns the file of the default table: none, it is the kernel's.
func defaultFile() (path string, optional bool, err error) { return "", false, nil }
