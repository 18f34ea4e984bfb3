package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
)

// service is where rows are submitted to: each key starts one requirement.
type service struct {
	mu    sync.Mutex
	known map[string]requirement.Submission
	// most is how many calls were under way at once.
	most, now int
	fail      func(requirement.Submission) error
}

func (s *service) submit(ctx context.Context, sub requirement.Submission, key string) (bool, error) {
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.now--; s.mu.Unlock() }()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if s.fail != nil {
		if err := s.fail(sub); err != nil {
			return false, err
		}
	}
	if sub.Ref != "" {
		key = sub.Ref
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]requirement.Submission{}
	}
	_, there := s.known[key]
	s.known[key] = sub
	return !there, nil
}

var errLost = errors.New("the service is gone")

func importing(t *testing.T, text string, s *service) *Import {
	t.Helper()
	table, err := Open(strings.NewReader(text))
	require.NoError(t, err)
	m, err := Recognise(table.Header)
	require.NoError(t, err)
	im := &Import{
		Table: table, Mapping: m, Rules: policy.Default().Process,
		Fatal: func(err error) bool { return errors.Is(err, errLost) },
	}
	if s != nil {
		im.Submit = s.submit
	}
	return im
}

// many is a table in which every tenth row is bad.
func many(n int) string {
	var b strings.Builder
	b.WriteString("title,customer,priority\n")
	for i := range n {
		priority := "high"
		if i%10 == 9 {
			priority = "top"
		}
		fmt.Fprintf(&b, "title %d,Acme,%s\n", i, priority)
	}
	return b.String()
}

func TestImportTwiceIsOnce(t *testing.T) {
	t.Parallel()
	s := &service{}
	var told []int
	im := importing(t, many(200), s)
	im.Rejected = func(r Rejection) {
		require.Equal(t, "priority", r.Column)
		told = append(told, r.Row)
	}
	sum, err := im.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, Summary{Rows: 200, Created: 180, Rejected: 20}, sum)
	require.Len(t, s.known, 180)
	require.Len(t, told, 20)
	require.IsIncreasing(t, told, "rejections come in the order of the rows")
	require.LessOrEqual(t, s.most, InFlight)

	again := importing(t, many(200), s)
	again.SubmittedBy = "somebody else"
	sum, err = again.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, Summary{Rows: 200, Existing: 180, Rejected: 20}, sum)
}

func TestDryRunSendsNothing(t *testing.T) {
	t.Parallel()
	sum, err := importing(t, many(50), nil).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, Summary{Rows: 50, Rejected: 5}, sum)
}

func TestRejectsAreCorrectedAndImportedAgain(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	s := &service{}
	im := importing(t, "title,customer,priority\n=1+1,Acme,top\nfine,Acme,low\nx\"y,Acme,low\na,b,low,surplus\n", s)
	im.Rejects = func() (io.Writer, error) { return &file, nil }
	sum, err := im.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, Summary{Rows: 4, Created: 1, Rejected: 3}, sum)
	require.Equal(t, "\ufefftitle,customer,priority,reject_reason\n"+
		"'=1+1,Acme,top,\"priority: \"\"top\"\" is not one of high, medium, low\"\n"+
		"\"x\"\"y,Acme,low\",,,\"line 4, character 2: a quote in a cell that does not begin with one; double it and put the cell in quotes\"\n"+
		"a,b,low,\"it has 4 cells under 3 columns; put cells with a ',' in them in quotes: surplus\"\n", file.String())

	corrected := strings.Replace(file.String(), "top,", "high,", 1)
	var still bytes.Buffer
	im = importing(t, corrected, s)
	im.Rejects = func() (io.Writer, error) { return &still, nil }
	sum, err = im.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, Summary{Rows: 3, Created: 2, Rejected: 1}, sum)
	require.Contains(t, still.String(), "title,customer,priority,reject_reason\n", "the reason has one column, however often")
	for _, sub := range s.known {
		require.NotContains(t, sub.Title, "'", "what was escaped is itself again")
	}
}

func TestNoFileWithoutRejects(t *testing.T) {
	t.Parallel()
	im := importing(t, "title,customer\nx,y\n", &service{})
	im.Rejects = func() (io.Writer, error) { return nil, errors.New("opened") }
	_, err := im.Run(t.Context())
	require.NoError(t, err)
}

func TestALostServiceStopsTheImport(t *testing.T) {
	t.Parallel()
	s := &service{fail: func(sub requirement.Submission) error {
		if sub.Title == "title 100" {
			return errLost
		}
		return nil
	}}
	sum, err := importing(t, many(1_000), s).Run(t.Context())
	require.ErrorIs(t, err, errLost)
	require.Equal(t, Summary{Rows: 100, Created: 90, Rejected: 10}, sum, "what came before is counted")
	require.Less(t, len(s.known), 150, "and no more is sent")
}

func TestARefusalOfTheProcessIsTheRowsOwn(t *testing.T) {
	t.Parallel()
	s := &service{fail: func(sub requirement.Submission) error {
		if sub.Title == "title 3" {
			return &requirement.Error{Code: requirement.CodeInvalid, Message: "priority: not here", Params: map[string]string{"field": "priority"}}
		}
		return nil
	}}
	im := importing(t, many(8), s)
	var told []Rejection
	im.Rejected = func(r Rejection) { told = append(told, r) }
	sum, err := im.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, Summary{Rows: 8, Created: 7, Rejected: 1}, sum)
	require.Equal(t, []Rejection{{Row: 5, Column: "priority", Reason: "not here"}}, told)
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &service{fail: func(sub requirement.Submission) error {
		if sub.Title == "title 20" {
			cancel()
		}
		return nil
	}}
	sum, err := importing(t, many(1_000), s).Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, sum.Rows, 100)
}

func TestATableThatCannotBeReadOn(t *testing.T) {
	t.Parallel()
	s := &service{}
	im := importing(t, "title,customer\na,b\nc,d\n\"x"+strings.Repeat("y", 2*maxRow), s)
	sum, err := im.Run(t.Context())
	require.ErrorContains(t, err, "never closed")
	require.Equal(t, Summary{Rows: 2, Created: 2}, sum, "what was read is taken in")
}

func TestAMappingForAnotherTable(t *testing.T) {
	t.Parallel()
	table, err := Open(strings.NewReader("a,b\n1,2\n"))
	require.NoError(t, err)
	m, err := ParseMapping("m.yaml", []byte("fields:\n  title: a\n  customer: {template: \"{x} {b}\"}\nfirst_of: y\n"))
	require.NoError(t, err)
	_, err = (&Import{Table: table, Mapping: m}).Run(t.Context())
	problems, ok := errors.AsType[policy.Problems](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "m.yaml:3:24: $.fields.customer.template: there is no column \"x\"; the table has a, b", problems[0].Error())
	require.Equal(t, "m.yaml:4:11: $.first_of: there is no column \"y\"; the table has a, b", problems[1].Error())
}

func TestLenientLeavesTypesToTheProcess(t *testing.T) {
	t.Parallel()
	s := &service{}
	im := importing(t, "title,customer,type\nx,y,ours\n", s)
	im.Lenient = true
	sum, err := im.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, sum.Created)
}
