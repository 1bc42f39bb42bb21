package validator

// csNotRun are the rows of the Common Services that are known and not run, and
// why. Everything else of the workbook of April 2023 and of what was read of
// release 2.0.1 is a rule.
var csNotRun = map[string]string{
	"R-DSD-RESP-S003":           "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-DSD-RESP-S004":           "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-DSD-ERR-S003":            "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-DSD-ERR-S004":            "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-EB-REQ-S003":             "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-EB-REQ-S004":             "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-EB-EVI-S003":             "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-EB-EVI-S004":             "in the workbook of 2023 only, never in a file; answers carry no requestID",
	"R-DSD-SUB-S020":            "in the workbook only; R-DSD-SUB-C037 presupposes the level of assurance that it bans",
	"R-DSD-SUB-S021":            "in the workbook only; contradicts R-DSD-SUB-C009 and C039",
	"R-EB-SUB-S046":             "in the workbook only; associations may point at registered requirements",
	"R-EB-ERR-014":              "dropped after the drafts of 0.99",
	"R-LCM-ERR-014":             "dropped after the drafts of 0.99",
	"R-DSD-ERR-C021":            "the file's number for R-DSD-ERR-C022",
	"R-DSD-RESP-C015 (revised)": "R-DSD-RESP-C015 is run in its revised form on every line",
	"R-DSD-SUB-C023 (revised)":  "R-DSD-SUB-C023 is run in its revised form on every line",
	"R-DSD-SUB-S028a/b":         "the file's halves of R-DSD-SUB-S028",
	"R-EB-SUB-S036a/b":          "the file's halves of R-EB-SUB-S036",
	"R-EB-SUB-S038a/b":          "the file's halves of R-EB-SUB-S038",
	"R-EB-SUB-S040a/b":          "the file's halves of R-EB-SUB-S040",
	"MS-CLASS-SUB (set)":        "text not seen",
	"X-LCM-ATOM-01":             "a promise of the directory, which no message shows",
}
