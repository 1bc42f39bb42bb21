// Package watch looks at what countries really run and publish, and tells it as
// facts: what the Evidence Broker and the Data Service Directory of an
// environment publish for a country, and whether its end points answer
// (acceleratormeter.md §3, facts directory_observation and probe).
//
// It asks as any client would, over the network, and believes nothing that is
// not signed by the environment's roots. It judges no level and knows no store.
package watch
