package replay

// summary shows the counts.
func (r *run) summary() error { return nil }
