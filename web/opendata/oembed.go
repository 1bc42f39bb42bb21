package opendata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
)

// OEmbed is a rich oEmbed answer, version 1.0.
type OEmbed struct {
	Provider string // the site's name
	Base     string // its address
	Title    string
	Frame    string // address of the page to be framed
	Width    int
	Height   int
}

// JSON is the answer as the oEmbed specification §2.3 says.
func (o OEmbed) JSON() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any{
		"type": "rich", "version": "1.0", "title": o.Title,
		"provider_name": o.Provider, "provider_url": o.Base,
		"cache_age": 3600, "width": o.Width, "height": o.Height,
		"html": o.HTML(),
	}); err != nil {
		panic("opendata: an oEmbed answer of strings did not encode: " + err.Error())
	}
	return b.Bytes()
}

// HTML is the code to be copied into a page.
func (o OEmbed) HTML() string {
	return fmt.Sprintf(`<iframe src="%s" title="%s" width="%d" height="%d" loading="lazy" style="border:0;max-width:100%%"></iframe>`,
		html.EscapeString(o.Frame), html.EscapeString(o.Title), o.Width, o.Height)
}
