//go:build !unix

package console

// Changes returns a channel that gets nothing: the system has no such signals.
func (*Screen) Changes() <-chan struct{} { return nil }

// CloseOnFatal does nothing: the system has no such signals.
func (*Screen) CloseOnFatal() {}
