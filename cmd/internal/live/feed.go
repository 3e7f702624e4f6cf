package live

// feed is what Run keeps beside the entries.
type feed struct {
	pace    pace
	history history
	log     eventLog
}

// init prepares the feed of a table whose options are set.
func (f *feed) init(t *Table) {
	f.pace.init(t.options.Interval, t.options.Share)
	f.log.init(t.options.Events)
}
