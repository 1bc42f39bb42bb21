package partner

var requesterFaults = []Fault{}
var directoryFaults = []Fault{}
var lcmFaults = []Fault{}
var logFaults = []Fault{}
