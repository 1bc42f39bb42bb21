package web

// Visible is the text of a page as people see it, for the tests of the whole
// journey, which stand outside of the package because they start a network.
var Visible = visible
