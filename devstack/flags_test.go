package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		line string
		want options
	}{
		{"up", options{mode: "up", dir: filepath.Join(here, ".closeloop")}},
		{"up --dir /x --env /y/env --fresh-ports", options{mode: "up", dir: "/x", env: "/y/env", freshPorts: true}},
		{"up --dir /x --with-parent --export A=b=c --export B=", options{
			mode: "up", dir: "/x", withParent: true, exports: []variable{{"A", "b=c"}, {"B", ""}},
		}},
		{"up --dir /x --listen L=80 --secret S=dev: --export U=http://${L}", options{
			mode: "up", dir: "/x", listens: []listening{{"L", 80}}, secrets: []variable{{"S", "dev:"}},
			exports: []variable{{"U", "http://${L}"}},
		}},
		{"run -- go test ./... -v", options{mode: "run", freshPorts: true, run: []string{"go", "test", "./...", "-v"}}},
		{"run -v true", options{mode: "run", freshPorts: true, verbose: true, run: []string{"true"}}},
	} {
		got, err := parseOptions(strings.Fields(test.line))
		if err != nil || !reflect.DeepEqual(got, withEmpty(test.want)) && !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, %v; want %+v", test.line, got, err, test.want)
		}
	}
}

// withEmpty is o with an empty list of words to run instead of none, as the
// flag package leaves it.
func withEmpty(o options) options {
	if o.run == nil {
		o.run = []string{}
	}
	return o
}

func TestCommandsGetTheirOwnNames(t *testing.T) {
	o, err := parseOptions([]string{
		"up", "--before", "bin/closeloop migrate",
		"--child", "'/a dir/closeloop' worker --x", "--child", "bin/closeloop worker", "--child", "sh -c 'sleep 1'",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []command{
		{"closeloop-worker", []string{"/a dir/closeloop", "worker", "--x"}},
		{"closeloop-worker-2", []string{"bin/closeloop", "worker"}},
		{"sh", []string{"sh", "-c", "sleep 1"}},
	}
	if !reflect.DeepEqual(o.children, want) {
		t.Errorf("children %+v, want %+v", o.children, want)
	}
	if want := []command{{"closeloop-migrate", []string{"bin/closeloop", "migrate"}}}; !reflect.DeepEqual(o.before, want) {
		t.Errorf("before %+v, want %+v", o.before, want)
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string // in the message
	}{
		{nil, "devstack up"},
		{[]string{"down"}, `"down"`},
		{[]string{"up", "something"}, "something"},
		{[]string{"run"}, "needs a command"},
		{[]string{"run", "--"}, "needs a command"},
		{[]string{"up", "--nonsense"}, "nonsense"},
		{[]string{"up", "--child", "a 'b"}, "quote is not closed"},
		{[]string{"up", "--before", " "}, "empty"},
		{[]string{"up", "--export", "NAME"}, "NAME=VALUE"},
		{[]string{"up", "--export", "a b=c"}, "not the name"},
		{[]string{"up", "--listen", "A=http"}, "not a TCP port"},
		{[]string{"up", "--listen", "A=70000"}, "not a TCP port"},
		{[]string{"up", "--secret", "A"}, "NAME=VALUE"},
	} {
		_, err := parseOptions(test.args)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want one with %q", test.args, err, test.want)
		}
	}
	for _, args := range [][]string{{"--help"}, {"help"}, {"up", "-h"}, {"run", "--help"}} {
		if _, err := parseOptions(args); !errors.Is(err, errHelp) {
			t.Errorf("%q: %v, want help", args, err)
		}
	}
}
