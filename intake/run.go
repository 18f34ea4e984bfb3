package intake

import (
	"context"
	"errors"
	"io"
	"sync"

	"closeloop/policy"
	"closeloop/requirement"
)

// InFlight is how many submissions are under way at once.
const InFlight = 8

// Import is one import of a table.
type Import struct {
	Table   *Table
	Mapping *Mapping
	// Rules are what rows are checked against before they are sent.
	Rules policy.Process
	// Lenient leaves types and channels that Rules do not have to the process:
	// they are the company's own, and Rules may be another's.
	Lenient bool
	// Submit starts a requirement, or finds the one there is. Nil only checks.
	Submit func(ctx context.Context, s requirement.Submission, key string) (created bool, err error)
	// Fatal reports whether an error of Submit is about the service and not about
	// the row: then the import stops.
	Fatal func(error) bool
	// Words says in the reader's language what is wrong with a field; nil leaves it
	// to the domain's English.
	Words func(*requirement.Error) string
	// SubmittedBy is who recorded rows that do not say so.
	SubmittedBy string
	// Rejects opens the file for rejected rows; it is called with the first one.
	// Nil keeps none. RejectsWorkbook makes it a workbook instead of CSV.
	Rejects         func() (io.Writer, error)
	RejectsWorkbook bool
	// Rejected, when not nil, is told of every rejected row, in their order.
	Rejected func(Rejection)
	// Done, when not nil, is called after every row.
	Done func(Summary)
}

// Summary counts rows. Created, Existing and Rejected make up Rows; when nothing
// is sent, the rest of Rows is fine. Rows with an id of ours are Existing without
// anybody being asked.
type Summary struct {
	Rows     int `json:"rows"`
	Created  int `json:"created"`
	Existing int `json:"existing"`
	Rejected int `json:"rejected"`
	// Skipped rows are not wanted by the mapping and not among Rows.
	Skipped int `json:"skipped"`
}

// Rejection is a row that was not taken in.
type Rejection struct {
	// Row as a spreadsheet counts; the header is 1.
	Row int `json:"row"`
	// Column it is about; empty when it is about the whole row.
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
}

// job is a row on its way. The answers are taken in the order of the rows.
type job struct {
	row     Row
	s       requirement.Submission
	key     string
	err     error
	created bool
	// there: the row has our id, so nothing is sent.
	there bool
	done  chan struct{}
}

// Run imports the rows. It returns what it got to when it stops early: because
// ctx ended, the table could not be read on, or the service was lost. Running it
// again is safe in every case.
func (im *Import) Run(ctx context.Context) (Summary, error) {
	p, err := im.Mapping.bind(im.Table.Header, im.Rules, im.Lenient)
	if err != nil {
		return Summary{}, err
	}
	if im.Words != nil {
		p.words = im.Words
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	work, order := make(chan *job), make(chan *job, InFlight)
	var senders sync.WaitGroup
	for range InFlight {
		senders.Go(func() {
			for j := range work {
				j.created, j.err = im.Submit(ctx, j.s, j.key)
				close(j.done)
			}
		})
	}
	var (
		skipped    int
		unreadable error
	)
	go func() {
		defer close(order)
		defer senders.Wait()
		defer close(work)
		unreadable = im.read(ctx, p, work, order, &skipped)
	}()
	sum, err := im.collect(p, order, stop)
	sum.Skipped = skipped
	switch {
	case err != nil:
		return sum, err
	case unreadable != nil:
		return sum, unreadable
	default:
		return sum, context.Cause(ctx)
	}
}

// read sends the rows on their way.
func (im *Import) read(ctx context.Context, p *plan, work, order chan<- *job, skipped *int) error {
	for {
		row, err := im.Table.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		j := &job{row: row, err: row.Err, done: make(chan struct{})}
		if row.Cells != nil && j.err == nil {
			if !p.wanted(row) {
				*skipped++
				continue
			}
			if j.there, j.err = p.there(row); !j.there && j.err == nil {
				j.s, j.err = p.submission(row)
			}
			// Who imports a row does not make it another one.
			j.key = Key(j.s)
			if j.s.SubmittedBy == "" {
				j.s.SubmittedBy = im.SubmittedBy
			}
		}
		select {
		case order <- j:
		case <-ctx.Done():
			return nil
		}
		if j.err != nil || j.there || im.Submit == nil {
			close(j.done)
			continue
		}
		select {
		case work <- j:
		case <-ctx.Done():
			j.err = context.Cause(ctx)
			close(j.done)
			return nil
		}
	}
}

// collect takes the answers, in the order of the rows. After a fatal one the
// rest are not counted: whether they arrived is not known.
func (im *Import) collect(p *plan, order <-chan *job, stop context.CancelCauseFunc) (Summary, error) {
	var (
		sum     Summary
		fatal   error
		rejects = rejects{open: im.Rejects, asSheet: im.RejectsWorkbook, header: im.Table.Header}
	)
	for j := range order {
		<-j.done
		switch {
		case fatal != nil:
			continue
		case j.err == nil:
			sum.Rows++
			switch {
			case j.there:
				sum.Existing++
			case im.Submit == nil:
			case j.created:
				sum.Created++
			default:
				sum.Existing++
			}
		case im.Submit != nil && im.fatal(j.err):
			fatal = j.err
			stop(fatal)
			continue
		default:
			sum.Rows++
			sum.Rejected++
			r := p.rejection(j)
			if im.Rejected != nil {
				im.Rejected(r)
			}
			if err := rejects.write(j.row, r); err != nil {
				fatal = err
				stop(fatal)
				continue
			}
		}
		if im.Done != nil {
			im.Done(sum)
		}
	}
	// What was rejected is kept, also when the import stopped.
	return sum, errors.Join(fatal, rejects.close())
}

func (im *Import) fatal(err error) bool {
	return errors.Is(err, context.Canceled) || (im.Fatal != nil && im.Fatal(err))
}

// rejection words why a row was not taken in, be it by us or by the process.
func (p *plan) rejection(j *job) Rejection {
	f, ok := errors.AsType[*fault](j.err)
	if !ok {
		f = p.faultOf(j.err)
	}
	return Rejection{Row: j.row.Number, Column: f.column, Reason: f.Error()}
}
