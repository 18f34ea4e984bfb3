package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/requirement"
)

var chinese = regexp.MustCompile(`\p{Han}`)

// walk visits every command of the tree.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		walk(sub, visit)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			a := newApp([]string{"--lang", lang}, nil, nil, nil, nil)
			root := a.root()
			root.InitDefaultHelpCmd()
			walk(root, func(c *cobra.Command) {
				path := c.CommandPath()
				require.NotEmpty(t, c.Example, "%s has no example", path)
				for line := range strings.Lines(c.Example) {
					require.Contains(t, line, "closeloop", "%s: every line of the example is a call", path)
				}
				words := []string{c.Short}
				if c.Long != "" {
					words = append(words, c.Long)
				}
				c.LocalFlags().VisitAll(func(f *pflag.Flag) {
					require.NotEmpty(t, f.Usage, "%s --%s has no usage", path, f.Name)
					words = append(words, f.Usage)
				})
				for _, w := range words {
					require.NotContains(t, w, "cli.", "%s: a text is not in the catalogue", path)
					// The import tells which Chinese heads it knows, in any language.
					if lang == locale.Chinese || c.Name() != "import" {
						require.Equal(t, lang == locale.Chinese, chinese.MatchString(w), "%s: %q", path, w)
					}
				}
			})
		})
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	a := newApp(nil, nil, nil, nil, nil)
	walk(a.root(), func(c *cobra.Command) {
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		got := calling{args: args}.run(t)
		require.Zero(t, got.status, c.CommandPath())
		require.Empty(t, got.err)
		require.Contains(t, got.out, "Examples\n  ")
		require.Contains(t, got.out, "--output FORMAT")
		require.NotContains(t, got.out, "cli.")
		for line := range strings.Lines(c.Example) {
			require.Contains(t, got.out, line)
		}
	})
	require.Equal(t, calling{args: []string{"submit", "--help"}}.run(t), calling{args: []string{"help", "submit"}}.run(t))
}

// The calls that people are shown must be calls that the program takes.
func TestShownCallsAreTaken(t *testing.T) {
	t.Parallel()
	for _, rule := range requirement.Table {
		v := requirement.View{ID: someID, WaitingFor: requirement.Waiting{Who: []string{"li.na"}, Acts: []requirement.Name{rule.Act}}}
		a := newApp(nil, nil, nil, nil, nil)
		for _, call := range a.commands(v) {
			args := strings.Fields(strings.ReplaceAll(call, `"`, ""))[1:]
			d := &fakeDesk{}
			got := calling{args: args, desk: d}.run(t)
			if rule.Act == requirement.ActTriage || got.status == exitDone {
				require.Zero(t, got.status, got.err)
				require.Len(t, d.acts, 1, call)
				require.Equal(t, "li.na", d.acts[0].By())
				continue
			}
			t.Errorf("%s: %s", call, got.err)
		}
	}
}

// The examples in the help must be calls that the program takes.
func TestExamplesAreTaken(t *testing.T) {
	t.Parallel()
	a := newApp(nil, nil, nil, nil, nil)
	for _, c := range a.root().Commands() {
		for line := range strings.Lines(c.Example) {
			if c.ValidArgsFunction == nil || c.Annotations[listing] != "" || c.Name() == "import" || c.Name() == "export" || c.Name() == "ack" || c.Name() == "help" {
				continue
			}
			args := shellWords(line)
			got := calling{args: args[1:], desk: &fakeDesk{}}.run(t)
			require.Zero(t, got.status, "%s: %s", line, got.err)
		}
	}
}

// shellWords splits a call like a shell does, double quotes included.
func shellWords(line string) []string {
	var list []string
	for i, part := range strings.Split(strings.TrimSpace(line), `"`) {
		if i%2 == 1 {
			list = append(list, part)
			continue
		}
		list = append(list, strings.Fields(part)...)
	}
	return list
}
