// Command intake measures how fast requirements come in, beside how fast Temporal
// can start any workflow at all on the same machine in the same minutes:
//
//	bin/devstack run --before "bin/closeloop migrate" --child "bin/closeloop worker" \
//		--export CLOSELOOP_TASK_QUEUE=closeloop -- go run ./bench/intake
//
// For the HTTP intake a gateway has to run as well (--child "env CLOSELOOP_RATE=0
// bin/closeloop serve": without the limit on how often one may ask), and -gateway
// and -token tell where it is and who asks.
//
// Each round takes the ways in turn, at the same concurrency: bare starts of a
// workflow that does nothing, the same with an answer of the workflow,
// [starter.Client.Submit] from start to verdict, and POST /v1/requirements of a
// gateway. Work that the answers do not wait for, such as notices, is waited for
// between them, so that none pays for another. It prints the rate of each, its
// latencies, and its share of the rate of bare starts.
//
// It talks to this machine only, and its counts are bounded: it must not become
// a way to load somebody's service.
package main
