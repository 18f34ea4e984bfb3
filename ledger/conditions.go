package ledger

import (
	"strconv"
	"strings"
)

// conditions build the WHERE of a query whose filters are optional. Each filter
// that is given becomes a condition of its own, so that the planner sees only
// those; values are parameters always.
type conditions struct {
	texts  []string
	values []any
}

// add puts in a condition in which each ? stands for the next value.
func (c *conditions) add(condition string, values ...any) {
	for _, v := range values {
		condition = strings.Replace(condition, "?", c.value(v), 1)
	}
	c.texts = append(c.texts, condition)
}

// value makes v a parameter and returns its name.
func (c *conditions) value(v any) string {
	c.values = append(c.values, v)
	return "$" + strconv.Itoa(len(c.values))
}

// oneOf adds a condition on a column, unless the list is empty. One value is
// compared directly: then an index gives its rows in order.
func (c *conditions) oneOf(column string, list []string) {
	switch len(list) {
	case 0:
	case 1:
		c.add(column+" = ?", storable(list[0]))
	default:
		texts := make([]string, len(list))
		for i, text := range list {
			texts[i] = storable(text)
		}
		c.add(column+" = ANY (?)", texts)
	}
}

func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.texts, " AND ")
}
