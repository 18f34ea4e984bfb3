package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
	"go.temporal.io/server/tools/common/schema"
	"go.temporal.io/server/tools/sql"
	"google.golang.org/protobuf/types/known/durationpb"

	"closeloop/devstack/ports"
)

const (
	namespace = "default"
	// retention is how long closed workflows stay visible.
	retention = 30 * 24 * time.Hour

	temporalRole       = "temporal"
	temporalDatabase   = "temporal"
	visibilityDatabase = "temporal_visibility"

	// shards cannot be changed once the store is made. A shard writes one
	// thing at a time, so a few of them keep several commits in flight; many
	// would only cost memory here.
	shards = 4
)

// temporalPorts are the ports that the Temporal server listens on.
type temporalPorts struct {
	frontend, http, history, matching, worker int
}

func pickTemporalPorts(p *ports.Picker, frontend int) (temporalPorts, error) {
	t := temporalPorts{frontend: frontend}
	for _, port := range []*int{&t.http, &t.history, &t.matching, &t.worker} {
		var err error
		if *port, err = p.Free(); err != nil {
			return t, err
		}
	}
	return t, nil
}

// dynamicConfig makes a small server fast: the stock values are meant for
// clusters with hundreds of shards.
func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// Twenty polls per second and shard are the default: with few shards
		// every step of a workflow would wait up to 50 ms for its turn.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   10000,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      10000,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 10000,
		dynamicconfig.OutboundProcessorMaxPollRPS.Key():   10000,
		// A timer that is due within this time may be late by as much; the usual
		// second would swallow the marks of clocks that run for seconds.
		dynamicconfig.TimerProcessorMaxTimeShift.Key(): 10 * time.Millisecond,
		// At that speed a long poll for a workflow's result now and then misses
		// the closing event and answers only when the poll runs out (20 s).
		dynamicconfig.HistoryLongPollExpirationInterval.Key(): 2 * time.Second,

		// Search attributes and Nexus endpoints are usable once registered.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		dynamicconfig.ForceNexusEndpointRefreshOnRead.Key():         true,

		dynamicconfig.EnableEagerWorkflowStart.Key():     true,
		dynamicconfig.EnableActivityEagerExecution.Key(): true,

		// Strict order of priority and fairness need one partition per queue.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		dynamicconfig.MatchingEnableFairness.Key():              true,

		// Nothing here should limit a load test but the machine.
		dynamicconfig.FrontendPersistenceMaxQPS.Key():          10000,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():          10000,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():           45000,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():            10000,
		dynamicconfig.FrontendRPS.Key():                        20000,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key(): 20000,

		// No calls to the outside.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}

// sqlConfig is how Temporal reaches one of its databases.
func sqlConfig(postgresPort int, password, database string) *config.SQL {
	return &config.SQL{
		PluginName:      postgresql.PluginNamePGX,
		ConnectProtocol: "tcp",
		ConnectAddr:     ports.Address(postgresPort),
		User:            temporalRole,
		Password:        password,
		DatabaseName:    database,
		MaxConns:        20,
		MaxIdleConns:    20,
		MaxConnLifetime: time.Hour,
	}
}

// migrateTemporal brings the schema of one of Temporal's databases up to what
// this server needs. It can be run again and again.
func migrateTemporal(cfg *config.SQL, schemaName string) error {
	conn, err := sql.NewConnection(cfg, log.NewNoopLogger())
	if err != nil {
		return err
	}
	defer conn.Close()
	// The set-up to version 0.0 makes the tables that hold the version, and
	// does nothing when they are there; the updates do the rest, from wherever
	// the database stands.
	setup := &schema.SetupConfig{InitialVersion: "0.0"}
	if err := schema.NewSetupSchemaTask(conn, setup, log.NewNoopLogger()).Run(); err != nil {
		return fmt.Errorf("schema of database %s: %w", cfg.DatabaseName, err)
	}
	update := &schema.UpdateConfig{DBName: cfg.DatabaseName, SchemaName: schemaName}
	if err := schema.NewUpdateSchemaTask(conn, update, log.NewNoopLogger()).Run(); err != nil {
		return fmt.Errorf("schema of database %s: %w", cfg.DatabaseName, err)
	}
	return nil
}

// startTemporal starts the server and waits until the namespace can be used.
// The databases have to be there.
func startTemporal(ctx context.Context, p temporalPorts, postgresPort int, password, logFile string) (temporal.Server, error) {
	store := sqlConfig(postgresPort, password, temporalDatabase)
	visibility := sqlConfig(postgresPort, password, visibilityDatabase)
	if err := migrateTemporal(store, "postgresql/v12/temporal"); err != nil {
		return nil, err
	}
	if err := migrateTemporal(visibility, "postgresql/v12/visibility"); err != nil {
		return nil, err
	}

	frontend := ports.Address(p.frontend)
	service := func(grpcPort, httpPort int) config.Service {
		return config.Service{RPC: config.RPC{GRPCPort: grpcPort, HTTPPort: httpPort, BindOnIP: ports.Host}}
	}
	host := func(port int) static.Hosts {
		return static.Hosts{All: []string{ports.Address(port)}, Self: ports.Address(port)}
	}
	cfg := &config.Config{
		Global: config.Global{Membership: config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: ports.Host}},
		Persistence: config.Persistence{
			DefaultStore:     "default",
			VisibilityStore:  "visibility",
			NumHistoryShards: shards,
			DataStores:       map[string]config.DataStore{"default": {SQL: store}, "visibility": {SQL: visibility}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        "active",
			CurrentClusterName:       "active",
			ClusterInformation: map[string]cluster.ClusterInformation{"active": {
				Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend, HTTPAddress: ports.Address(p.http),
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			string(primitives.FrontendService): service(p.frontend, p.http),
			string(primitives.HistoryService):  service(p.history, 0),
			string(primitives.MatchingService): service(p.matching, 0),
			string(primitives.WorkerService):   service(p.worker, 0),
		},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
		PublicClient: config.PublicClient{HostPort: frontend},
	}

	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: "warn", OutputFile: logFile}))
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService: host(p.frontend),
			primitives.HistoryService:  host(p.history),
			primitives.MatchingService: host(p.matching),
			primitives.WorkerService:   host(p.worker),
		}),
		temporal.WithLogger(logger),
		temporal.WithDynamicConfigClient(dynamicConfig()),
	)
	if err != nil {
		return nil, fmt.Errorf("setting up the Temporal server: %w", err)
	}
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("starting the Temporal server (see %s): %w", logFile, err)
	}
	if err := ensureNamespace(ctx, frontend); err != nil {
		stopTemporal(server)
		return nil, fmt.Errorf("the Temporal server does not answer as it should (see %s): %w", logFile, err)
	}
	return server, nil
}

// stopTemporal stops the server, but does not wait for it for ever: what it
// has stored is safe in PostgreSQL either way.
func stopTemporal(server temporal.Server) {
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Stop() }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
	}
}

// ensureNamespace makes the namespace, or gives it the right retention, and
// returns when the server can use it.
func ensureNamespace(ctx context.Context, frontend string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	// The frontend may need some more milliseconds before it serves.
	var err error
	for {
		if err = tryNamespace(ctx, frontend); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func tryNamespace(ctx context.Context, frontend string) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: frontend, Namespace: namespace, Logger: silentLogger{}})
	if err != nil {
		return err
	}
	defer c.Close()
	service := c.WorkflowService()

	got, err := service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if missing := (*serviceerror.NamespaceNotFound)(nil); errors.As(err, &missing) {
		_, err = service.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace:                        namespace,
			Description:                      "closeloop development stack",
			WorkflowExecutionRetentionPeriod: durationpb.New(retention),
		})
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	} else if got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() != retention {
		config := got.GetConfig()
		config.WorkflowExecutionRetentionTtl = durationpb.New(retention)
		if _, err := service.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{Namespace: namespace, Config: config}); err != nil {
			return err
		}
	}
	// Listing goes through the namespace cache and the visibility store, so
	// its answer means that both are ready.
	_, err = service.ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, PageSize: 1})
	return err
}

// silentLogger keeps the client's retries while the server comes up quiet.
type silentLogger struct{}

func (silentLogger) Debug(string, ...any) {}
func (silentLogger) Info(string, ...any)  {}
func (silentLogger) Warn(string, ...any)  {}
func (silentLogger) Error(string, ...any) {}
