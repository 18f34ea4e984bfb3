package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"closeloop/holidays"
	"closeloop/policy"
	"closeloop/sla"
)

// importHolidays are the flags of an import of holidays.
type importHolidays struct {
	set, into string
	year      int
}

func (a *app) calendarImportCommand() *cobra.Command {
	var f importHolidays
	c := a.command("calendar.import", "import FILE",
		"closeloop calendar import 2027.json\n"+
			"closeloop calendar import 2027.json --into policy.yaml\n"+
			"closeloop calendar import holidays.ics --set de --year 2027 --into policy.yaml\n"+
			"curl -s https://example.com/holidays.ics | closeloop calendar import - --year 2027")
	c.Args = a.takes(1, "FILE")
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"json", "ics"}, cobra.ShellCompDirectiveFilterFileExt)
	fs := a.flags(c)
	fs.set.StringVar(&f.set, "set", sla.ChineseHolidays, fs.usage("set"))
	fs.number(&f.year, "year")
	fs.file(&f.into, "into", "yaml", "yml")
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.importHolidays(cmd, args[0], f) }
	return c
}

// importedHolidays answers an import of holidays.
type importedHolidays struct {
	sla.HolidayYear
	// Outside are days of other years, which were left out; Timed is how many
	// entries had a time of day.
	Outside []sla.Day `json:"outside"`
	Timed   int       `json:"timed"`
	// Into is the policy file that has them now, Changed whether it was written.
	Into    string `json:"into,omitempty"`
	Changed bool   `json:"changed,omitempty"`
	Digest  string `json:"digest,omitempty"`
}

func (a *app) importHolidays(cmd *cobra.Command, path string, f importHolidays) error {
	if err := policy.ValidName(f.set); err != nil {
		return a.misused(cmd, "invalid", map[string]any{"Flag": "set", "Reason": err.Error()})
	}
	if cmd.Flags().Changed("year") && (f.year < sla.FirstYear || f.year > sla.LastYear) {
		return a.misused(cmd, "invalid", map[string]any{"Flag": "year", "Reason": fmt.Sprintf("%d: %d … %d", f.year, sla.FirstYear, sla.LastYear)})
	}
	data, err := a.source(path)
	if err != nil {
		return err
	}
	found, err := holidays.Read(data, f.year)
	if err != nil {
		return &failure{
			exitFailure, "holidays", a.say("cli.calendar.unreadable", map[string]any{"File": path, "Reason": err.Error()}),
			a.seeHelp(cmd),
		}
	}
	found.Year.Set = f.set
	answer := importedHolidays{HolidayYear: found.Year, Outside: found.Outside, Timed: found.Timed}
	if answer.Outside == nil {
		answer.Outside = []sla.Day{}
	}
	if f.into != "" {
		if err := a.putInto(f.into, &answer); err != nil {
			return err
		}
	}
	if !a.quiet {
		a.tellLeftOut(answer)
	}
	return a.print(answer, func(s *screen) {
		if f.into == "" {
			// Plain, to be put into a file.
			_, _ = fmt.Fprint(a.out, "holidays:\n", policy.HolidaysYAML(answer.HolidayYear))
			return
		}
		a.tellWritten(s, answer)
	})
}

// source reads a file, or standard input for a hyphen.
func (a *app) source(path string) ([]byte, error) {
	in := a.in
	if path != "-" {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, &failure{exitNotFound, "not_found", err.Error(), ""}
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	// One byte more than is read shows that there is more.
	return io.ReadAll(io.LimitReader(in, holidays.MaxBytes+1))
}

// putInto writes the year into the policy file, unless that would be no policy.
func (a *app) putInto(path string, answer *importedHolidays) error {
	before, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return &failure{exitNotFound, "not_found", err.Error(), ""}
	}
	if err != nil {
		return err
	}
	after, p, err := policy.PutHolidays(path, before, answer.HolidayYear)
	if err != nil {
		return &failure{exitFailure, "policy", err.Error(), a.say("cli.calendar.not_written", map[string]any{"File": path})}
	}
	answer.Into, answer.Digest = path, p.Digest
	if bytes.Equal(before, after) {
		return nil
	}
	answer.Changed = true
	return replaceFile(path, after)
}

// replaceFile gives a file new content, at once: nobody ever reads half of it.
func replaceFile(path string, content []byte) (err error) {
	// Where the name is a link, what it leads to is replaced and not the link.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".closeloop-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// tellLeftOut says on standard error what of the source was not taken.
func (a *app) tellLeftOut(answer importedHolidays) {
	s := a.screen(a.err)
	if n := len(answer.Outside); n > 0 {
		shown := answer.Outside[:min(n, maxTold)]
		s.line(s.warn.Render(a.say("cli.calendar.outside", map[string]any{
			"Count": n, "Year": answer.Year, "Days": clean(spacedBy(", ", shown)),
		})))
	}
	if answer.Timed > 0 {
		s.line(s.warn.Render(a.say("cli.calendar.timed", map[string]any{"Count": answer.Timed})))
	}
}

func (a *app) tellWritten(s *screen, answer importedHolidays) {
	if a.quiet {
		return
	}
	params := map[string]any{
		"File": answer.Into, "Set": answer.Set, "Year": answer.Year, "Off": len(answer.Off), "Work": len(answer.Work),
	}
	if !answer.Changed {
		s.line(a.say("cli.calendar.unchanged", params))
		return
	}
	s.line(s.good.Render(a.say("cli.calendar.written", params)))
	s.line(s.faint.Render("  → "), a.say("cli.calendar.next", nil))
	s.line("    closeloop policy apply ", answer.Into)
}
