package ctnetlink

// FieldError is a field of a request that cannot be sent as it is set. The
// request was not made. It matches EINVAL, which the table would have answered.
type FieldError struct {
	Field   string // "FlowSpec.Mark", "DumpRequest.Orig.SrcPort", …
	Problem string // "set, but Set lacks AttrMark", …
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Unwrap returns EINVAL.
func (e *FieldError) Unwrap() error { return EINVAL }
