package difftest

import "slices"

// shrinkRuns bounds the work on one difference.
const shrinkRuns = 120

// shrink leaves out commands, then options, then lines, for as long as the
// same sort of difference remains. It returns nil when the difference does not
// happen again.
func (b *bench) shrink(d *difference) *difference {
	runs := 0
	// try puts a smaller case in the place of d's, if it differs like it.
	try := func(cmds []*command) bool {
		runs++
		_, x := b.run(cmds, false)
		if x == nil || x.aspects != d.aspects || x.on.background != d.on.background {
			return false
		}
		if d.aspects != contents && verb(x.our.stderr) != verb(d.our.stderr) {
			return false
		}
		d = x
		return true
	}
	if !try(d.cmds) {
		_, d = b.run(d.cmds, false)
		return d
	}

	// Commands, in halves, quarters, … one by one. The last one showed the
	// difference, unless that is in the tables or in events.
	keep := 1
	if d.aspects == contents || d.on.background {
		keep = 0
	}
	for size := len(d.cmds) - keep; size > 0; size /= 2 {
		for at := 0; at+size <= len(d.cmds)-keep && len(d.cmds) > 1 && runs < shrinkRuns; {
			if !try(slices.Delete(slices.Clone(d.cmds), at, at+size)) {
				at += size
			}
		}
	}
	// Then options and lines, the last command's first.
	for changed := true; changed; {
		changed = false
		for i := len(d.cmds) - 1; i >= 0 && !changed; i-- {
			for _, smaller := range d.cmds[i].reductions() {
				if runs >= shrinkRuns {
					return d
				}
				next := slices.Clone(d.cmds)
				next[i] = smaller
				if try(next) {
					changed = true
					break
				}
			}
		}
	}
	return d
}

// reductions returns the command without each of its options, and without
// each of its lines.
func (c *command) reductions() []*command {
	var out []*command
	if len(c.env) > 0 {
		d := c.clone()
		d.env = nil
		out = append(out, d)
	}
	for i := range c.load {
		d := c.clone()
		d.load = slices.Delete(d.load, i, i+1)
		if len(d.load) > 0 {
			out = append(out, d)
		}
		if l := c.load[i].cmd; l != nil {
			for _, smaller := range l.reductions() {
				d := c.clone()
				d.load[i].cmd = smaller
				out = append(out, d)
			}
		}
	}
	if c.load == nil {
		for i := range c.items {
			d := c.clone()
			d.items = slices.Delete(d.items, i, i+1)
			out = append(out, d)
		}
	}
	return out
}
