package daemon

// reload opens the logs again and reads the configuration, for a HUP.
func (d *daemon) reload() {
	c := read(d.path, d.log)
	if c == nil {
		return
	}
	if err := d.log.open(c); err != nil {
		d.log.error("%s", err)
	}
}
