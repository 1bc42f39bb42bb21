// Package lcm is the Life-Cycle Management of the Common Services: what a
// Member State submits about itself (TDD 3.6.3), how it is judged, and the
// history of every change, by message or by screen.
//
// It reads and writes lcm:SubmitObjectsRequest in the shapes of oots-lcm:v1.0
// and of v1.1 to v2.0, and the answers to it. A submission acts for one
// country, is complete, and takes effect as a whole or not at all. Members'
// classification schemes travel in a shape of our own, behind Lists, because
// the one of the rule set MS-CLASS-SUB is not published (TDD 3.5.2).
//
// What the directories answer from it is the business of commonservices; the
// published rules on submissions are those of validator, which a caller hands
// in as Config.Judge.
package lcm
