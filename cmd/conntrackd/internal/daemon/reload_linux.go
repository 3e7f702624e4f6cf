package daemon

import (
	"reflect"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// reloaded are the clauses that a HUP changes; the others need a restart. They are the
// names of fields of config.Config.
var reloaded = []string{
	"LogFile", "Syslog", "Facility", "StatsLogFile", "StatsSyslog", "StatsFacility",
	"PurgeTimeout", "RefreshTime", "CacheTimeout", "OverrunResync", "Filter", "MetricsOn",
}

// reload opens the logs again and reads the configuration again, for a HUP. A file that
// cannot be read changes nothing but that the logs are opened again.
func (d *daemon) reload() {
	c := read(d.path, d.log)
	if c == nil || c.Mode != d.config.Mode {
		if c != nil {
			d.log.warning("the mode is changed by a restart only: the configuration stays as it is")
		}
		d.openLogs(d.config)
		d.log.notice("log files opened again")
		return
	}
	d.openLogs(c)
	filter := !reflect.DeepEqual(c.Filter, d.config.Filter)
	if c.MetricsOn != d.config.MetricsOn || !d.metrics.served(c.MetricsOn) {
		if err := d.metrics.serve(c.MetricsOn, d); err != nil {
			d.log.error("%s", err)
		}
	}
	if others := differ(d.config, c); len(others) > 0 {
		d.log.warning("changed by a restart only: %s", strings.Join(others, ", "))
	}
	d.mu.Lock()
	adopt(d.config, c)
	d.mu.Unlock()
	if filter {
		if err := d.table.SetFilter(c); err != nil {
			d.log.error("filter: %v", err)
		}
		if err := d.refresh(d.ctx, true); err != nil {
			d.log.error("resync: %v", err)
		}
	}
	d.log.notice("log files opened and configuration read again")
}

// openLogs opens the logs again; those that cannot be opened stay as they are.
func (d *daemon) openLogs(c *config.Config) {
	if err := d.log.open(c); err != nil {
		d.log.bare(err.Error())
	}
	if d.stats != nil {
		if err := d.stats.out.open(c); err != nil {
			d.log.bare(err.Error())
		}
	}
}

// fields calls f for the exported fields of two configurations.
func fields(a, b *config.Config, f func(name string, a, b reflect.Value)) {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		if field := x.Type().Field(i); field.IsExported() {
			f(field.Name, x.Field(i), y.Field(i))
		}
	}
}

// differ returns the names of the fields that differ and that a HUP does not change.
func differ(old, c *config.Config) (names []string) {
	fields(old, c, func(name string, a, b reflect.Value) {
		if !slices.Contains(reloaded, name) && !reflect.DeepEqual(a.Interface(), b.Interface()) {
			names = append(names, name)
		}
	})
	return names
}

// adopt changes the fields of old that a HUP changes.
func adopt(old, c *config.Config) {
	fields(old, c, func(name string, a, b reflect.Value) {
		if slices.Contains(reloaded, name) {
			a.Set(b)
		}
	})
}
