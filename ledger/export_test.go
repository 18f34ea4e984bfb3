package ledger

// Statement is the query of a page of a list, for tests of its plan.
func (f Filter) Statement() (string, []any, error) { return f.statement() }

// CursorOf is the cursor of the page that follows the row.
func CursorOf(r Row) (string, error) { return cursorOf(placeOf(r)) }

// ReadLives is the statement of [Ledger.Lives].
const ReadLives = readLives
