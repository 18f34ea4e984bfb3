// Package sheets writes the five tables of the process for people: the original
// records 《客户需求原始记录表》 (I1), the analysis 《客户需求分析表》 (A8), the
// assessment of priorities 《客户需求优先级评估表》 (R5), the tracking ledger
// 《客户需求跟踪表》 (K1) and feedback and closure 《客户需求反馈与闭环表》 (C5), as Excel
// workbooks and as CSV.
//
// What a table says comes from requirements and their events, one after the other,
// and is written at once, so that memory does not grow with their number. What the
// process does not record has columns of its own, empty, to be filled in by hand.
// Nothing in a table is a formula.
//
// The package imports the domain, locale, intake, whose heads its records have, and
// excelize. It knows neither Temporal nor SQL: the caller brings the requirements.
package sheets
