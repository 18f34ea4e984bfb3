package sheets

// Limit makes the sheets of a workbook end after so many rows, the header included.
func Limit(x *Workbook, rows int) { x.limit = rows }
