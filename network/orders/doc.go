// Package orders lets a test platform tell a node what to do, as a person would
// in its portal and in its preview space: it is the testbed.Driver of an
// exchange.Node (orders of docs/cases.md), and the HTTP door through which a
// platform elsewhere gives them.
//
// The door is for the environment testing alone: whoever holds its token asks
// for evidence in anybody's name. A node of another environment has none.
package orders
