package replay

// hints says what the user may want to know about the captures.
func (r *run) hints() {}
