package web

import "github.com/chromedp/chromedp"

// What the tests of the whole journey, which stand outside of the package
// because they start a network, borrow from the tests inside.
var (
	Browser = browser
	Axe     = axe
	Media   = media
)

// RunAxe is the script that tells axe's violations.
const RunAxe = runAxe

// Visible is the text of a page as people see it.
var Visible = visible

var _ chromedp.Action[chromedp.Void] = media("light")
