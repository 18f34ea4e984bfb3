// Package notify tells people, and the systems that requirements came from, what
// happened: who is to be told of an event, in which words, over which channel,
// and what to do when that channel fails.
//
// A [Notice] is one message to one recipient over one channel. Notices are
// written with the transition they belong to and sent afterwards: to people each
// at most once, to systems at least once and in order ([Terms]). Channels are
// small files in notify/channel.
//
// The package imports the domain and locale; it knows neither Temporal nor SQL.
package notify
