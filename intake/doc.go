// Package intake takes in many requirements at once from tables: questionnaires,
// service records, another system's export (row I7).
//
// [Open] finds out what a file is, workbook or CSV, and in which encoding,
// [ParseMapping] reads what its columns mean, and [Run] submits its rows, several
// at a time and in bounded memory. Bad rows are told by row and column and never
// stop the good ones. Workbooks are read by the package workbook below this one.
//
// The package imports the domain, locale, and text, YAML and workbook libraries.
// How a requirement is submitted is a function that the caller gives, so it knows
// neither Temporal nor SQL.
package intake
