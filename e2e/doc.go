// Package e2e holds weir to its contract from the outside: the built binary, the real Envoy, real requests.
//
// It promises that what it shows is what an operator sees. It imports no package of weir; it writes files as
// editors and orchestrators do, calls Envoy's listeners as callers do, and looks at weir only through its
// commands, its log, its exit status and its admin address. Traffic stays on the loopback interface, but for the
// tests in containers, whose networks are their own.
//
// Envoy is found by WEIR_ENVOY_PATH, below .tools, or on the PATH. Each test owns its directory, its ports,
// its processes and its containers; nothing outlives it, but what a failed test leaves below build/e2e-logs.
package e2e
