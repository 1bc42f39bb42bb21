// Package network is a whole Once-Only Technical System as one value: a
// throw-away certification authority, the Common Services, and a node for each
// country with its own store, keys, access point, registers and preview space.
//
// Nothing in it is faked: nodes speak AS4 over TLS on loopback, directories sign
// their answers, a preview takes both requests. The data are those of
// commonservices/seed; all documents and people are invented.
package network
