package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// measured is what one way took in one round.
type measured struct {
	took time.Duration
	each []time.Duration
}

func (m measured) rate() float64 { return float64(len(m.each)) / m.took.Seconds() }

// run takes the ways in turn, round by round, and prints what came out.
func run(ctx context.Context, out io.Writer, o options, ways []way) error {
	prefix := fmt.Sprintf("bench:%d-", time.Now().UnixNano())
	calls := make([]int, len(ways))
	for _, w := range ways {
		if err := ready(ctx, w, prefix); err != nil {
			return fmt.Errorf("%s does not answer: %w", w.name(), err)
		}
	}
	results := make([][]measured, len(ways))
	for round := range o.rounds + 1 {
		n := o.calls
		if round == 0 {
			n = o.warm
		}
		for i, w := range ways {
			own := fmt.Sprintf("%s%d-", prefix, i)
			m, err := burst(ctx, w, own, calls[i], n, o.concurrency)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name(), err)
			}
			calls[i] += n
			if err := w.settled(ctx, own, calls[i]); err != nil {
				return fmt.Errorf("%s: wait until its work is done: %w", w.name(), err)
			}
			if round == 0 {
				continue
			}
			results[i] = append(results[i], m)
			if _, err := fmt.Fprintf(out, "round %d  %-21s %6.0f/s\n", round, w.name(), m.rate()); err != nil {
				return err
			}
		}
	}
	return report(out, o, ways, results)
}

// startTime is how long what is measured may take to come up.
const startTime = 30 * time.Second

// ready calls until it is answered once: worker and gateway may have been started
// just now.
func ready(ctx context.Context, w way, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for i := 0; ; i++ {
		err := w.call(ctx, fmt.Sprintf("%sready-%s-%d", prefix, w.word(), i))
		var said refusal
		if err == nil || errors.As(err, &said) {
			return err
		}
		select {
		case <-time.After(settleEvery):
		case <-ctx.Done():
			return err
		}
	}
}

// burst calls n times, so many at the same time, and stops at the first error.
func burst(ctx context.Context, w way, prefix string, first, n, concurrency int) (measured, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m := measured{each: make([]time.Duration, n)}
	var next atomic.Int64
	var group sync.WaitGroup
	begun := time.Now()
	for range concurrency {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				at := time.Now()
				if err := w.call(ctx, fmt.Sprint(prefix, first+i)); err != nil {
					cancel(err)
					return
				}
				m.each[i] = time.Since(at)
			}
		})
	}
	group.Wait()
	m.took = time.Since(begun)
	return m, context.Cause(ctx)
}

// report prints the median rate of each way over the rounds, its latencies over
// all calls, and its share of the first way's rate.
func report(out io.Writer, o options, ways []way, results [][]measured) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\nway\trate\tslowest\tfastest\tp50\tp99\tshare\t\n")
	var base float64
	for i, w := range ways {
		var rates []float64
		var each []time.Duration
		for _, m := range results[i] {
			rates = append(rates, m.rate())
			each = append(each, m.each...)
		}
		slices.Sort(rates)
		slices.Sort(each)
		rate := rates[len(rates)/2]
		if i == 0 {
			base = rate
		}
		fmt.Fprintf(table, "%s\t%.0f/s\t%.0f/s\t%.0f/s\t%.1f ms\t%.1f ms\t%.2f\t\n", w.name(), rate, rates[0], rates[len(rates)-1],
			milliseconds(quantile(each, 0.5)), milliseconds(quantile(each, 0.99)), rate/base)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%d rounds of %d calls each, %d at the same time; rates are the medians of the rounds\n", o.rounds, o.calls, o.concurrency)
	return err
}

// quantile of sorted values: the least that so many of them do not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	i := int(q * float64(len(sorted)))
	return sorted[min(i, len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
