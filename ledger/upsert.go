package ledger

import (
	"fmt"
	"strings"
)

// A table is a part of a requirement's state that is written as rows of JSON,
// whose field names are the columns.
type table struct {
	name string
	// key are the columns that identify a row; the first is the requirement's id.
	key []string
	// columns are the others. They are named one by one, so that a column that a
	// later release adds is left alone.
	columns []string
}

// upsert returns the statement that writes the rows in $1 of the requirement $2,
// provided that the requirement stands at the event number $3: then nobody wrote
// a later state before. A row that does not change is not touched.
func (t table) upsert() string {
	all := strings.Join(append(append([]string{}, t.key...), t.columns...), ", ")
	return fmt.Sprintf(`INSERT INTO %[1]s (%[2]s)
SELECT %[2]s FROM jsonb_populate_recordset(NULL::%[1]s, $1)
WHERE EXISTS (SELECT FROM requirement r WHERE r.id = $2 AND r.seq = $3)
ON CONFLICT (%[3]s) DO UPDATE SET (%[4]s) = ROW (%[5]s)
WHERE (%[6]s) IS DISTINCT FROM (%[5]s)`,
		t.name, all, strings.Join(t.key, ", "), strings.Join(t.columns, ", "),
		prefixed("excluded.", t.columns), prefixed(t.name+".", t.columns))
}

func prefixed(prefix string, columns []string) string {
	return prefix + strings.Join(columns, ", "+prefix)
}
