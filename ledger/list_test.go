package ledger_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/ledger"
	"closeloop/requirement"
)

// shelf has eight requirements in different places of the process.
func shelf(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, _ := open(t)
	for i, c := range []struct {
		title, customer, priority string
		acts                      []requirement.Act
	}{
		{"导出报表太慢", "华东物流", "low", nil},
		{"扫码登录失败", "华东物流", "high", nil},
		{"Export to Excel", "ACME", "medium", []requirement.Act{requirement.Triage{Header: as("zhou"), Department: "technology"}}},
		{"报表数字不对", "ACME", "medium", []requirement.Act{
			requirement.Triage{Header: as("zhou"), Department: "technology"}, requirement.Assign{Header: as("zhou"), To: "li"},
		}},
		{"打印乱码", "ACME", "medium", []requirement.Act{
			requirement.Triage{Header: as("zhou"), Department: "operations"},
			requirement.Assign{Header: as("zhou"), To: "chen"},
			requirement.Accept{Header: as("chen")},
			requirement.PutOnHold{Header: as("chen"), Reason: "等客户"},
		}},
		{"发票抬头", "南方电网", "medium", []requirement.Act{
			requirement.Triage{Header: as("zhou"), Department: "operations"},
			requirement.Assign{Header: as("zhou"), To: "li"},
			requirement.Resolve{Header: as("li"), Solution: "改好了"},
			requirement.Confirm{Header: as("customer")},
		}},
		{"不要了", "南方电网", "medium", []requirement.Act{requirement.Withdraw{Header: as("zhou"), Reason: "不要了"}}},
		{"大屏很慢", "南方电网", "medium", nil},
	} {
		id := fmt.Sprintf("REQ-%d", i+1)
		r := submit(t, id, func(s *requirement.Submission) {
			s.Title, s.Customer, s.Priority, s.Description = c.title, c.customer, c.priority, ""
		})
		do(t, r, time.Duration(i)*time.Minute, c.acts...)
		if id == "REQ-8" {
			r.Tick(start.Add(3 * time.Hour))
		}
		write(t, l, r)
	}
	return l
}

func TestList(t *testing.T) {
	t.Parallel()
	l := shelf(t)
	yes, no := true, false
	for _, c := range []struct {
		name   string
		filter ledger.Filter
		want   string // numbers of the requirements, in order
	}{
		{"all, by deadline", ledger.Filter{}, "1 2 3 4 8 5 6 7"},
		{"a stage", ledger.Filter{Stages: []requirement.Stage{requirement.Assigned}}, "4"},
		{"stages", ledger.Filter{Stages: []requirement.Stage{requirement.Assigned, requirement.Archived}}, "4 6"},
		{"a status", ledger.Filter{Statuses: []requirement.Status{requirement.InProgress}}, "4 5"},
		{"stage and status that exclude each other", ledger.Filter{
			Stages: []requirement.Stage{requirement.Archived}, Statuses: []requirement.Status{requirement.Pending},
		}, ""},
		{"priority", ledger.Filter{Priorities: []string{"high", "low"}}, "1 2"},
		{"department", ledger.Filter{Departments: []string{"operations"}}, "5 6"},
		{"owner", ledger.Filter{Owners: []string{"li"}}, "4 6"},
		{"owners", ledger.Filter{Owners: []string{"li", "chen"}}, "4 5 6"},
		{"customer", ledger.Filter{Customers: []string{"华东物流"}}, "1 2"},
		{"a customer who would be SQL", ledger.Filter{Customers: []string{"' OR true --"}}, ""},
		{"breached", ledger.Filter{Breached: true}, "8"},
		{"on hold", ledger.Filter{OnHold: &yes}, "5"},
		{"not on hold", ledger.Filter{OnHold: &no, Owners: []string{"chen"}}, ""},
		{"open", ledger.Filter{Open: true}, "1 2 3 4 8 5"},
		{"due by an instant", ledger.Filter{DueBy: start.Add(2 * time.Hour)}, "1 2 3 4 8"},
		{"due before any", ledger.Filter{DueBy: start.Add(time.Hour)}, ""},
		{"words", ledger.Filter{Text: "报表"}, "1 4"},
		{"English words", ledger.Filter{Text: "EXCEL export"}, "3"},
		{"words of which one is missing", ledger.Filter{Text: "报表 打印"}, ""},
		{"one character", ledger.Filter{Text: "慢"}, "1 8"},
		{"one character and a word", ledger.Filter{Text: "报表，慢"}, "1"},
		{"nothing to search for", ledger.Filter{Text: "？！"}, ""},
		{"several at once", ledger.Filter{Customers: []string{"ACME"}, Departments: []string{"technology"}, Text: "报表"}, "4"},
		{"a limit", ledger.Filter{Limit: 2}, "1 2"},
	} {
		c.filter.Count = true
		page, err := l.List(t.Context(), c.filter)
		require.NoError(t, err, c.name)
		var got []string
		for _, row := range page.Rows {
			got = append(got, strings.TrimPrefix(row.ID, "REQ-"))
		}
		require.Equal(t, c.want, strings.Join(got, " "), c.name)
		if c.filter.Limit == 0 {
			require.Equal(t, len(page.Rows), *page.Total, c.name)
			require.Empty(t, page.Next, c.name)
		} else {
			require.Equal(t, 8, *page.Total)
			require.NotEmpty(t, page.Next)
		}
	}
}

func TestListRow(t *testing.T) {
	t.Parallel()
	l := shelf(t)
	page, err := l.List(t.Context(), ledger.Filter{Owners: []string{"li"}, Open: true})
	require.NoError(t, err)
	deadline := start.Add(2 * time.Hour).Truncate(time.Microsecond)
	require.Equal(t, []ledger.Row{{
		ID: "REQ-4", Title: "报表数字不对", Customer: "ACME", Stage: requirement.Assigned, Status: requirement.InProgress,
		Priority: "medium", Urgency: "general", Type: "functional", Tier: "P3", Channel: "phone", Department: "technology",
		Owner: "li", Tracker: "zhou", NextDeadline: &deadline, WaitingFor: []string{"li"},
		CreatedAt: start.Truncate(time.Microsecond), UpdatedAt: start.Add(3 * time.Minute).Truncate(time.Microsecond),
	}}, page.Rows)
	require.Nil(t, page.Total, "not asked for")
}

func TestListRefusesForeignCursors(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	for name, cursor := range map[string]string{
		"not base64": "%%%",
		"not JSON":   base64.RawURLEncoding.EncodeToString([]byte("x")),
		"other JSON": base64.RawURLEncoding.EncodeToString([]byte(`{"id":1}`)),
		"too long":   strings.Repeat("A", 2_000),
	} {
		_, err := l.List(t.Context(), ledger.Filter{Cursor: cursor})
		require.ErrorIs(t, err, ledger.ErrCursor, name)
	}
	_, err := l.List(t.Context(), ledger.Filter{Text: strings.Repeat("长", 501)})
	require.ErrorContains(t, err, "at most 500 characters")
}

// Going from page to page gives every row that matches once and in order,
// whatever the size of the pages and however deadlines coincide.
func TestListPages(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	write(t, l, submit(t, "REQ-0", nil))
	// Deadlines in few distinct places, and some rows without.
	_, err := conn.Exec(t.Context(), `INSERT INTO requirement
		SELECT (jsonb_populate_record(r, jsonb_build_object(
			'id', 'R-' || lpad((n * 7919 % 300)::text, 3, '0'), 'owner', 'o' || n % 3, 'breached', n % 4 = 0,
			'next_deadline', CASE WHEN n % 5 > 0 THEN $1::timestamptz + n % 6 * interval '1 microsecond' END
		))).* FROM requirement r, generate_series(0, 299) n WHERE id = 'REQ-0'`, start)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		f := ledger.Filter{
			Owners:   rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"o0", "o1", "o2"}), 0, 2, rapid.ID).Draw(t, "owners"),
			Breached: rapid.Bool().Draw(t, "breached"),
			Limit:    ledger.MaxLimit,
			Count:    true,
		}
		whole, err := l.List(context.Background(), f)
		require.NoError(t, err)
		require.Empty(t, whole.Next)
		require.Equal(t, len(whole.Rows), *whole.Total)
		require.True(t, slices.IsSortedFunc(whole.Rows, func(a, b ledger.Row) int {
			switch {
			case a.NextDeadline == nil && b.NextDeadline == nil:
				return strings.Compare(a.ID, b.ID)
			case a.NextDeadline == nil:
				return 1
			case b.NextDeadline == nil:
				return -1
			case !a.NextDeadline.Equal(*b.NextDeadline):
				return a.NextDeadline.Compare(*b.NextDeadline)
			}
			return strings.Compare(a.ID, b.ID)
		}))
		var paged []ledger.Row
		for {
			f.Limit = rapid.IntRange(10, 120).Draw(t, "limit")
			page, err := l.List(context.Background(), f)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Rows), f.Limit)
			require.Equal(t, whole.Total, page.Total, "the cursor does not narrow the count")
			paged = append(paged, page.Rows...)
			if f.Cursor = page.Next; f.Cursor == "" {
				break
			}
		}
		require.Equal(t, whole.Rows, paged)
	})
}

// The lists that people look at are read from an index, not by looking at every
// requirement.
func TestListPlans(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	write(t, l, submit(t, "REQ-0", nil))
	_, err := conn.Exec(t.Context(), `INSERT INTO requirement
		SELECT (jsonb_populate_record(r, jsonb_build_object(
			'id', 'R-' || n, 'owner', 'o' || n % 200, 'department', 'd' || n % 50, 'customer', 'c' || n % 500, 'breached', n % 100 = 0,
			'stage', CASE WHEN n % 20 = 0 THEN 'reviewing' ELSE 'archived' END,
			'closed_at', CASE WHEN n % 20 > 0 THEN now() END,
			'next_deadline', CASE WHEN n % 20 = 0 THEN $1::timestamptz + n * interval '1 minute' END
		))).* FROM requirement r, generate_series(1, 5000) n WHERE id = 'REQ-0'`, start)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `ANALYZE requirement`)
	require.NoError(t, err)
	last := start.Add(20 * time.Minute)
	cursor, err := ledger.CursorOf(ledger.Row{ID: "R-20", NextDeadline: &last})
	require.NoError(t, err)
	for _, c := range []struct {
		index  string
		filter ledger.Filter
	}{
		{"requirement_due", ledger.Filter{}},
		{"requirement_due", ledger.Filter{Cursor: cursor}},
		{"requirement_due", ledger.Filter{DueBy: start.Add(24 * time.Hour)}},
		{"requirement_owner", ledger.Filter{Owners: []string{"o20"}}},
		{"requirement_department", ledger.Filter{Departments: []string{"d10"}}},
		{"requirement_customer", ledger.Filter{Customers: []string{"c100"}}},
		{"requirement_stage", ledger.Filter{Stages: []requirement.Stage{requirement.Reviewing}}},
		{"requirement_breached", ledger.Filter{Breached: true}},
	} {
		c.filter.Limit = 50
		query, values, err := c.filter.Statement()
		require.NoError(t, err)
		var plan string
		require.NoError(t, conn.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+query, values...).Scan(&plan))
		require.Contains(t, plan, `"`+c.index+`"`)
		require.NotContains(t, plan, "Seq Scan", c.index)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	l := shelf(t)
	loads, err := l.Load(t.Context(), []string{"li", "chen", "nobody"})
	require.NoError(t, err)
	require.Equal(t, map[string]ledger.Load{
		"li":     {Open: 1, LastAssigned: start.Add(5 * time.Minute).Truncate(time.Microsecond)},
		"chen":   {Open: 1, LastAssigned: start.Add(4 * time.Minute).Truncate(time.Microsecond)},
		"nobody": {},
	}, loads)
	loads, err = l.Load(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, loads)
}
