package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"closeloop/access"
	"closeloop/intake"
	"closeloop/intake/workbook"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
)

// maxTold is how many rejected rows are told of on the screen.
const maxTold = 20

// importPatience bounds the wait for the answer to one row.
const importPatience = 2 * time.Minute

// importFlags are the flags of an import.
type importFlags struct {
	mapping, rejects, sheet string
	where                   []string
	dryRun                  bool
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	c := a.command("import", "import FILE",
		"closeloop import requirements.xlsx --dry-run\n"+
			"closeloop import requirements.csv --rejects rejects.xlsx --as li.na\n"+
			"closeloop import incidents.csv --map examples/mapping-servicenow.yaml --where 'opened_at=7/3/2016 *'")
	c.Args = a.takes(1, "FILE")
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"xlsx", "xlsm", "csv", "txt"}, cobra.ShellCompDirectiveFilterFileExt)
	fs := a.flags(c)
	fs.file(&f.mapping, "map", "yaml", "yml")
	fs.texts(&f.where, "where")
	fs.truth(&f.dryRun, "dry-run")
	fs.file(&f.rejects, "rejects", "xlsx", "csv")
	fs.text(&f.sheet, "sheet")
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.importFile(cmd, args[0], f) }
	return c
}

// imported answers an import.
type imported struct {
	intake.Summary
	DryRun bool `json:"dry_run,omitempty"`
	// Rejections are the first rejected rows.
	Rejections []intake.Rejection `json:"rejections"`
}

func (a *app) importFile(cmd *cobra.Command, path string, f importFlags) error {
	in, err := a.openTable(cmd, path, f.rejects)
	if err != nil {
		return err
	}
	defer in.Close()
	table, err := intake.OpenSheet(in, f.sheet)
	if err != nil {
		return a.wrong(cmd, "%s: %s", path, a.unreadableTable(err))
	}
	defer table.Close()
	bar := a.progress(table)
	mapping, err := a.mapping(cmd, table, f)
	if err != nil {
		return err
	}
	rules, err := a.policy()
	if err != nil {
		return err
	}
	run := intake.Import{
		Table: table, Mapping: mapping, Rules: rules.Process, Lenient: a.env[envPolicy] == "", SubmittedBy: a.as,
		Fatal: func(err error) bool {
			return errors.Is(err, starter.ErrUnreachable) || errors.Is(err, starter.ErrNoWorker)
		},
		Words: func(refused *requirement.Error) string { return a.text.Problem(refused.Message, refused.Params) },
		Done: func(s intake.Summary) {
			done, _ := table.Progress()
			_ = bar.Set64(done)
			bar.Describe(fmt.Sprintf("%s %d", a.say("cli.import.progress", nil), s.Rows))
		},
		RejectsWorkbook: strings.EqualFold(filepath.Ext(f.rejects), ".xlsx"),
	}
	if !f.dryRun {
		// Many at once take their time, and one answer that is late must not end it.
		a.patience = importPatience
		d, err := a.connect(cmd.Context())
		if err != nil {
			return err
		}
		defer d.Close()
		run.Submit = func(ctx context.Context, s requirement.Submission, key string) (bool, error) {
			s.Via = access.ViaImport
			receipt, err := d.Submit(ctx, s, key)
			return receipt.Created, err
		}
	}
	answer := imported{DryRun: f.dryRun, Rejections: []intake.Rejection{}}
	run.Rejected = func(r intake.Rejection) {
		if len(answer.Rejections) < maxTold {
			answer.Rejections = append(answer.Rejections, r)
		}
	}
	var rejects *os.File
	if f.rejects != "" {
		run.Rejects = func() (w io.Writer, err error) {
			rejects, err = os.OpenFile(f.rejects, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
			return rejects, err
		}
	}
	answer.Summary, err = run.Run(cmd.Context())
	_ = bar.Exit()
	if rejects != nil {
		err = errors.Join(err, rejects.Close())
	}
	if err != nil {
		return a.stopped(answer, err)
	}
	return a.print(answer, func(s *screen) { a.showImport(s, answer, f.rejects) })
}

// openTable opens the file; `-` is standard input.
func (a *app) openTable(cmd *cobra.Command, path, rejects string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(a.in), nil
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &failure{exitNotFound, "not_found", err.Error(), a.seeHelp(cmd)}
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && rejects != "" {
		if other, stat := os.Stat(rejects); stat == nil && os.SameFile(info, other) {
			err = a.misused(cmd, "invalid", map[string]any{"Flag": "rejects", "Reason": a.say("cli.import.same_file", nil)})
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// unreadableTable says in the reader's language why a table cannot be read.
func (a *app) unreadableTable(err error) string {
	wrong, ok := errors.AsType[*workbook.Error](err)
	if !ok || !a.text.Has("table."+string(wrong.Code)) {
		return err.Error()
	}
	params := map[string]any{}
	for name, value := range wrong.Params {
		params[name] = value
	}
	return a.say("table."+string(wrong.Code), params)
}

// mapping is the one that was named, or what the header itself says.
func (a *app) mapping(cmd *cobra.Command, table *intake.Table, f importFlags) (*intake.Mapping, error) {
	mapping, err := intake.Recognise(table.Header)
	if f.mapping != "" {
		mapping, err = intake.LoadMapping(f.mapping)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, &failure{exitNotFound, "not_found", err.Error(), a.seeHelp(cmd)}
	case err != nil:
		return nil, a.wrong(cmd, "%v", err)
	}
	for _, typed := range f.where {
		condition, err := intake.ParseCondition(typed)
		if err != nil {
			return nil, a.misused(cmd, "invalid", map[string]any{"Flag": "where", "Reason": err.Error()})
		}
		mapping.Only(condition)
	}
	return mapping, nil
}

// stopped says how far an import got. What was done stays done, and running it
// again is safe.
func (a *app) stopped(answer imported, err error) error {
	if _, damaged := errors.AsType[*workbook.Error](err); damaged {
		err = errors.New(a.unreadableTable(err))
	}
	f := *a.failureOf(err)
	if _, misfit := errors.AsType[policy.Problems](err); misfit || errors.Is(err, intake.ErrNoColumn) {
		return &failure{exitUsage, "usage", err.Error(), "closeloop import --help"}
	}
	f.Message = a.say("cli.import.stopped", map[string]any{
		"Rows": answer.Rows, "Created": answer.Created, "Existing": answer.Existing, "Reason": f.Message,
	})
	again := a.say("cli.import.again", nil)
	if f.Hint != "" {
		again += "\n" + f.Hint
	}
	f.Hint = again
	return &f
}

func (a *app) showImport(s *screen, answer imported, rejects string) {
	for _, r := range answer.Rejections {
		s.line(s.bad.Render("✗ "), a.say("cli.import.row", map[string]any{
			"Row": r.Row, "Column": clean(r.Column), "Reason": clean(r.Reason),
		}))
	}
	if more := answer.Rejected - len(answer.Rejections); more > 0 {
		s.line(s.faint.Render("  " + a.say("cli.import.more_rejected", map[string]any{"Count": more})))
	}
	if answer.DryRun {
		s.line(a.say("cli.import.dry", map[string]any{
			"Rows": answer.Rows, "Valid": answer.Rows - answer.Rejected, "Rejected": answer.Rejected,
		}))
	} else {
		s.line(a.say("cli.import.summary", map[string]any{
			"Rows": answer.Rows, "Created": answer.Created, "Existing": answer.Existing, "Rejected": answer.Rejected,
		}))
	}
	if answer.Skipped > 0 && !a.quiet {
		s.line(s.faint.Render(a.say("cli.import.skipped", map[string]any{"Skipped": answer.Skipped})))
	}
	if answer.Rejected > 0 && rejects != "" {
		s.line(a.say("cli.import.rejects", map[string]any{"File": rejects}))
	}
}

// progress is a bar on a terminal, and nothing elsewhere: of the rows of a sheet,
// of the bytes of a text.
func (a *app) progress(table *intake.Table) *progressbar.ProgressBar {
	_, size := table.Progress()
	file, ok := a.err.(*os.File)
	if !ok || a.quiet || a.output != formatTable || !isatty.IsTerminal(file.Fd()) {
		return progressbar.DefaultBytesSilent(size)
	}
	return progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(file),
		progressbar.OptionSetDescription(a.say("cli.import.progress", nil)),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowBytes(table.Sheet == ""),
		progressbar.OptionThrottle(100_000_000),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionFullWidth(),
	)
}
