// Package pg runs a private PostgreSQL cluster: it finds PostgreSQL's
// programs (and gets them when the machine has none), keeps the cluster in a
// directory, starts it on the loopback address, starts it again when it
// crashes, and stops it.
//
// PostgreSQL refuses to run as root, so under root everything of it runs as
// the user postgres, or nobody where there is no such user.
package pg
