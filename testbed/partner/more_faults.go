package partner

var requesterFaults = []Fault{}
var lcmFaults = []Fault{}
var logFaults = []Fault{}
