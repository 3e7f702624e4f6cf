// Package top is the program conntrack-top: a screen that shows the busiest
// entries of connection tracking tables, and what happens to them.
//
// Model is the state of the screen, Model.Update changes it, and Model.View draws
// it (charm.land/bubbletea/v2). Neither waits: what takes time, a question to the
// copy of the tables or a change of them, is a tea.Cmd, and its answer comes back as
// a message. Each view of the screen is a panel.
package top
