package ctnetlink

// isSystem returns false: this system has no error numbers.
func (e Errno) isSystem(error) bool { return false }
