package cmd

import (
	_ "embed" // the help texts
)

// The texts are files, so that they can be read and edited as text.
var (
	//go:embed help/overview.txt
	helpText string
	//go:embed help/load.txt
	loadHelp string
	//go:embed help/save.txt
	saveHelp string
	//go:embed help/summary.txt
	summaryHelp string
	//go:embed help/stats.txt
	statsHelp string
	//go:embed help/filters.txt
	filtersHelp string
	//go:embed help/output.txt
	outputHelp string
	//go:embed help/protocols.txt
	protocolsHelp string
)

var helpTopics = []struct{ name, short, text string }{
	{"filters", "Which entries a command acts on", filtersHelp},
	{"output", "Output forms, and the fields of a line", outputHelp},
	{"protocols", "The options of each protocol", protocolsHelp},
}
