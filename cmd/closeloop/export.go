package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/sheets"
)

// exportFlags are the flags of an export, besides the filters.
type exportFlags struct {
	listFlags
	to                string
	csv, blank, force bool
}

func (a *app) exportCommand() *cobra.Command {
	var f exportFlags
	c := a.command("export", "export TEMPLATE",
		"closeloop export tracking\n"+
			"closeloop export record --blank --to new-requirements.xlsx\n"+
			"closeloop export feedback --status done --department technology --to feedback.csv\n"+
			"closeloop export record --open --to - > open.xlsx")
	c.Args = a.takes(1, "TEMPLATE")
	c.ValidArgsFunction = cobra.FixedCompletions(words(sheets.Templates), cobra.ShellCompDirectiveNoFileComp)
	fs := a.flags(c)
	fs.file(&f.to, "to", "xlsx", "csv")
	fs.truth(&f.csv, "csv")
	fs.truth(&f.blank, "blank")
	fs.truth(&f.force, "force")
	a.narrowing(fs, &f.listFlags)
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.export(cmd, sheets.Template(args[0]), f) }
	return c
}

// exported answers an export.
type exported struct {
	Template     sheets.Template `json:"template"`
	File         string          `json:"file"`
	Format       string          `json:"format"`
	Requirements int             `json:"requirements"`
	Rows         int             `json:"rows"`
}

func (a *app) export(cmd *cobra.Command, template sheets.Template, f exportFlags) error {
	answer, err := a.exportTo(cmd, template, f)
	if err != nil {
		return err
	}
	filter, err := a.filter(cmd, f.listFlags)
	if err != nil {
		return err
	}
	options, err := a.wording()
	if err != nil {
		return err
	}
	options.Blank = f.blank
	var books archive
	if !f.blank {
		if books, err = a.open(cmd.Context()); err != nil {
			return err
		}
		defer books.Close()
	}
	out, err := a.sheetFile(answer.File, f.force)
	if err != nil {
		return err
	}
	defer out.discard()
	w, err := sheetWriter(out, template, answer.Format, options)
	if err != nil {
		return err
	}
	if books != nil {
		err = books.Export(cmd.Context(), filter, template.Kinds(), func(x ledger.Exported) error {
			answer.Requirements++
			return w.Write(sheets.Requirement(x))
		})
	}
	if err != nil {
		w.Discard()
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := out.keep(); err != nil {
		return err
	}
	if answer.File == "-" {
		return nil
	}
	answer.Rows = w.Rows()
	return a.print(answer, func(s *screen) {
		text := "cli.export.done"
		if f.blank {
			text = "cli.export.blank"
		}
		s.line(a.say(text, map[string]any{
			"Title": a.say("sheet.title."+string(template), nil), "Requirements": answer.Requirements, "Rows": answer.Rows, "File": answer.File,
		}))
	})
}

// exportTo checks what is asked for and finds the file's name and form.
func (a *app) exportTo(cmd *cobra.Command, template sheets.Template, f exportFlags) (exported, error) {
	answer := exported{Template: template, File: f.to, Format: "xlsx"}
	switch {
	case !slices.Contains(sheets.Templates, template):
		return answer, a.wrong(cmd, "%s", a.say("cli.export.no_template", map[string]any{
			"Template": clean(string(template)), "Templates": joined(words(sheets.Templates)),
		}))
	case f.blank && template != sheets.Record:
		return answer, a.wrong(cmd, "%s", a.say("cli.export.only_record", nil))
	}
	ending := strings.ToLower(filepath.Ext(f.to))
	if f.csv || ending == ".csv" {
		answer.Format = "csv"
	}
	switch {
	case f.to == "":
		answer.File = string(template) + "." + answer.Format
	case f.to != "-" && ending != ".csv" && ending != ".xlsx":
		return answer, a.wrong(cmd, "%s", a.say("cli.export.ending", map[string]any{"File": clean(f.to)}))
	}
	if out, ok := a.out.(*os.File); f.to == "-" && answer.Format == "xlsx" && ok && isatty.IsTerminal(out.Fd()) {
		return answer, &failure{exitUsage, "usage", a.say("cli.export.terminal", nil), a.say("cli.export.hint.terminal", nil)}
	}
	return answer, nil
}

// wording is how tables are worded for this reader.
func (a *app) wording() (sheets.Options, error) {
	rules, err := a.policy()
	if err != nil {
		return sheets.Options{}, err
	}
	people := a.people()
	departments := map[string]string{}
	for _, d := range rules.Departments {
		departments[d.ID] = a.pick(d.Name, d.NameEN)
	}
	return sheets.Options{
		Text: a.text, Zone: a.zone, Now: a.now(), Types: rules.Types, Channels: rules.Process.Channels,
		Person: func(id string) string { return a.withName(people, id) },
		Department: func(id string) string {
			if name := departments[id]; name != "" {
				return name
			}
			return id
		},
		Particulars: func(e requirement.Event) string { return a.allParticulars(rowOf(e)) },
	}, nil
}

func sheetWriter(w io.Writer, t sheets.Template, format string, o sheets.Options) (sheets.Writer, error) {
	if format == "csv" {
		return sheets.NewText(w, t, o)
	}
	return sheets.NewWorkbook(w, t, o)
}

// sheetFile is a file that is there whole or not at all.
type sheetFile struct {
	io.Writer
	name string
	// part is the file under another name until it is complete; nil for standard
	// output.
	part *os.File
}

// sheetFile opens the file. One that is there is replaced only when force is set.
func (a *app) sheetFile(name string, force bool) (*sheetFile, error) {
	if name == "-" {
		return &sheetFile{Writer: a.out}, nil
	}
	if _, err := os.Lstat(name); !force && !errors.Is(err, os.ErrNotExist) {
		if err != nil {
			return nil, err
		}
		return nil, &failure{exitRefused, "file_exists", a.say("cli.export.there", map[string]any{"File": name}), a.say("cli.export.hint.there", nil)}
	}
	part, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, err
	}
	return &sheetFile{Writer: part, name: name, part: part}, nil
}

// keep gives the complete file its name.
func (t *sheetFile) keep() error {
	if t.part == nil {
		return nil
	}
	if err := t.part.Close(); err != nil {
		return err
	}
	return os.Rename(t.part.Name(), t.name)
}

// discard removes what was not kept.
func (t *sheetFile) discard() {
	if t.part != nil {
		_ = t.part.Close()
		_ = os.Remove(t.part.Name())
	}
}
