package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
)

// A way is one of those that are compared.
type way interface {
	name() string
	// word chooses it on the command line.
	word() string
	// call does it once; reference is never used twice.
	call(ctx context.Context, reference string) error
	// settled waits until everything is done that the calls have left to do. The
	// references of all calls so far begin with prefix, and there were n.
	settled(ctx context.Context, prefix string, n int) error
}

// settleEvery is how often it is looked whether work is done.
const settleEvery = 20 * time.Millisecond

func until(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// bare starts workflows that do nothing.
type bare struct {
	temporal client.Client
	worker   worker.Worker
	// begun and ended count workflows of both kinds.
	begun, ended atomic.Int64
}

const bareQueue = "closeloop-bench"

func newBare(temporal client.Client) (*bare, error) {
	b := &bare{temporal: temporal}
	b.worker = worker.New(temporal, bareQueue, worker.Options{MaxConcurrentWorkflowTaskPollers: 8, DisableRegistrationAliasing: true})
	b.worker.RegisterWorkflowWithOptions(func(workflow.Context) error {
		b.ended.Add(1)
		return nil
	}, workflow.RegisterOptions{Name: "nothing"})
	b.worker.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		answered := false
		err := workflow.SetUpdateHandler(ctx, "ask", func(workflow.Context) (string, error) {
			answered = true
			return "yes", nil
		})
		if err != nil {
			return err
		}
		err = workflow.Await(ctx, func() bool { return answered })
		b.ended.Add(1)
		return err
	}, workflow.RegisterOptions{Name: "yes"})
	return b, b.worker.Start()
}

func (b *bare) stop() { b.worker.Stop() }

func (*bare) name() string { return "bare start" }
func (*bare) word() string { return "bare" }

func (b *bare) call(ctx context.Context, reference string) error {
	_, err := b.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: reference, TaskQueue: bareQueue}, "nothing")
	if err == nil {
		b.begun.Add(1)
	}
	return err
}

func (b *bare) settled(ctx context.Context, _ string, _ int) error {
	return until(ctx, func() (bool, error) { return b.ended.Load() >= b.begun.Load(), nil })
}

// verdict starts a workflow that does nothing but say yes: the least that an
// answered intake costs Temporal.
type verdict struct{ *bare }

func (verdict) name() string { return "bare start and answer" }
func (verdict) word() string { return "verdict" }

func (v verdict) call(ctx context.Context, reference string) error {
	start := v.temporal.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: reference, TaskQueue: bareQueue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}, "yes")
	handle, err := v.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: reference, UpdateName: "ask", WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return err
	}
	if err = handle.Get(ctx, nil); err == nil {
		v.begun.Add(1)
	}
	return err
}

// books tell when the ledger has caught up.
type books struct{ pool *pgxpool.Pool }

func openBooks(ctx context.Context, at string) (*books, error) {
	config, err := pgxpool.ParseConfig(at)
	if err != nil {
		return nil, errors.New("CLOSELOOP_DATABASE_URL cannot be read")
	}
	if ip := net.ParseIP(config.ConnConfig.Host); config.ConnConfig.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("the database at %s is not on this machine", config.ConnConfig.Host)
	}
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &books{pool}, err
}

func (b *books) close() { b.pool.Close() }

// settled waits until n requirements are in the ledger and all have been told.
func (b *books) settled(ctx context.Context, prefix string, n int) error {
	const query = `SELECT (SELECT count(*) FROM requirement WHERE starts_with(ref, $1)),
	(SELECT count(*) FROM notice WHERE state IN ('pending', 'sending'))`
	return until(ctx, func() (bool, error) {
		var there, untold int
		err := b.pool.QueryRow(ctx, query, prefix).Scan(&there, &untold)
		return there >= n && untold == 0, err
	})
}

// record is what comes in: an intake of usual size.
func record(reference string) requirement.Submission {
	return requirement.Submission{
		Title: "Report export times out", Description: strings.Repeat("The export stops after about 30 seconds. ", 8),
		Customer: "Acme Robotics", Contact: "dana@acme.example",
		Attributes: policy.Attributes{Type: "fault", Priority: "low", Urgency: "general", Tier: "P3", Channel: "phone"},
		Ref:        reference,
	}
}

// submit is the intake without HTTP.
type submit struct {
	desk *starter.Client
	*books
}

func (*submit) name() string { return "starter.Submit" }
func (*submit) word() string { return "submit" }

func (s *submit) call(ctx context.Context, reference string) error {
	return taken(s.desk.Submit(ctx, record(reference), ""))
}

// taken makes an answer that is not that of a new requirement an error.
func taken(r contract.Receipt, err error) error {
	if err == nil && (!r.Created || r.Stage != requirement.Received) {
		err = fmt.Errorf("%s was not created: %+v", r.Ref, r)
	}
	return err
}

// refusal is an answer that asking again would not change.
type refusal struct{ error }

// post is the intake over HTTP.
type post struct {
	client     *http.Client
	url, token string
	*books
}

func newPost(o options, b *books) *post {
	return &post{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.concurrency, MaxConnsPerHost: o.concurrency}},
		url:    strings.TrimSuffix(o.gateway, "/") + "/v1/requirements", token: o.token, books: b,
	}
}

func (*post) name() string { return "HTTP intake" }
func (*post) word() string { return "http" }

func (p *post) call(ctx context.Context, reference string) error {
	body, err := json.Marshal(record(reference))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.token)
	answer, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusCreated {
		err = fmt.Errorf("%s: %s", answer.Status, text)
		if answer.StatusCode < http.StatusInternalServerError {
			return refusal{err}
		}
		return err
	}
	return nil
}
