package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/starter"
)

// TestKilledWorkers kills the worker again and again in the middle of fifty
// running requirements. All of them finish, the ledger says exactly what the
// histories say, and no notification is sent twice.
func TestKilledWorkers(t *testing.T) {
	t.Parallel()
	mail := newMailbox(t)
	o := newOffice(t, func(o *office) {
		o.policy = repoFile("e2e", "testdata", "calm.yaml")
		o.env = append(o.env, "CLOSELOOP_SMTP_URL="+mail.url)
	})
	desk := starter.New(temporal, o.queue, 5*time.Second)
	const requirements, kills = 50, 3

	var acts atomic.Int64
	ids := make([]string, requirements)
	var group sync.WaitGroup
	slots := make(chan struct{}, 10)
	for n := range requirements {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ids[n] = live(t, desk, n, &acts)
		})
	}
	for k := range kills {
		eventually(t, func() bool { return acts.Load() >= int64((k+1)*requirements*9/(kills+1)) }, "work before kill %d", k+1)
		o.kill()
		require.NoError(t, o.open())
	}
	group.Wait()

	for _, id := range ids {
		require.NotEmpty(t, id)
		settled(t, id)
		o.sameAsHistory(t, id)
	}
	for key, times := range mail.received() {
		require.Equal(t, 1, times, "the message %s came more than once", key)
	}
	require.NotEmpty(t, mail.received())
}

// live walks a requirement through its life, sending each act under one id
// until it has its answer.
func live(t *testing.T, desk *starter.Client, n int, acts *atomic.Int64) string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	insist := func(what string, do func() error) {
		for {
			err := do()
			var refused *requirement.Error
			switch {
			case err == nil:
				acts.Add(1)
				return
			case errors.As(err, &refused), ctx.Err() != nil:
				t.Errorf("requirement %d, %s: %v", n, what, err)
				return
			}
		}
	}
	var id string
	key := fmt.Sprintf("%s-%s-%d", t.Name(), stamp(), n)
	insist("submit", func() error {
		receipt, err := desk.Submit(ctx, requirement.Submission{
			Title: "导出报表", Customer: "Acme", Contact: fmt.Sprintf("c%d@acme.example", n), SubmittedBy: "wang.fang",
		}, key)
		id = receipt.ID
		return err
	})
	for i, act := range []func(requirement.Header) requirement.Act{
		func(h requirement.Header) requirement.Act {
			return requirement.Triage{Header: as(h, "wang.fang"), NeedApproval: true}
		},
		func(h requirement.Header) requirement.Act { return requirement.Approve{Header: as(h, "zhao.lei")} },
		func(h requirement.Header) requirement.Act { return requirement.Approve{Header: as(h, "liu.yang")} },
		func(h requirement.Header) requirement.Act {
			return requirement.Assign{Header: as(h, "wang.fang"), To: "li.na", Department: "service"}
		},
		func(h requirement.Header) requirement.Act {
			return requirement.Respond{Header: as(h, "li.na"), Method: "phone", Message: "我们在看"}
		},
		func(h requirement.Header) requirement.Act {
			return requirement.PutOnHold{Header: as(h, "li.na"), Reason: "等日志"}
		},
		func(h requirement.Header) requirement.Act { return requirement.Resume{Header: as(h, "customer")} },
		func(h requirement.Header) requirement.Act {
			return requirement.Resolve{Header: as(h, "li.na"), Solution: "好了"}
		},
		func(h requirement.Header) requirement.Act {
			return requirement.Confirm{Header: as(h, "customer"), Rating: 5}
		},
	} {
		a := act(requirement.Header{ActID: fmt.Sprintf("%s-%d", key, i)})
		insist(string(a.Name()), func() error {
			_, err := desk.Do(ctx, id, a)
			return err
		})
	}
	return id
}

func as(h requirement.Header, actor string) requirement.Header {
	h.Actor = actor
	return h
}

// ledgerEvents reads a requirement's facts from the database.
func (o *office) ledgerEvents(t *testing.T, id string) []requirement.Event {
	t.Helper()
	l, err := ledger.Open(context.Background(), o.database())
	require.NoError(t, err)
	defer l.Close()
	events, err := l.Events(context.Background(), id, 0, ledger.MaxEvents)
	require.NoError(t, err)
	return events
}

// database is the URL of the office's ledger.
func (o *office) database() string {
	url := ""
	for _, variable := range o.environ() {
		if value, ok := strings.CutPrefix(variable, "CLOSELOOP_DATABASE_URL="); ok {
			url = value
		}
	}
	return url
}

var openBooks = sync.OnceValues(func() (*ledger.Ledger, error) {
	return ledger.Open(context.Background(), os.Getenv("CLOSELOOP_DATABASE_URL"))
})

func books(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := openBooks()
	require.NoError(t, err)
	return l
}
