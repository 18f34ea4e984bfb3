// Package contract is what crosses Temporal: the names of workflows, updates,
// signals, queries, activities and search attributes, the ids, and the shapes
// of the messages. Every such name is spelled here and nowhere else; the names
// of acts are those of the requirement package.
//
// It imports the domain only, so that workflows, activities, worker and starter
// share it without knowing each other.
package contract
