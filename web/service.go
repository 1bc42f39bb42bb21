package web

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/once-only/oots/sdg"
)

// ServiceConfig of the public page of one service and of its help page: what the
// link and the support link of an open service lead to. BaseURL, Key, Name,
// Country and Contact are required.
type ServiceConfig struct {
	// BaseURL is where people reach the site, without a final slash; the pages are
	// BaseURL + "/service/" + Key and the same + "/support".
	BaseURL, Key string
	Name         string // of the authority, as people know it
	Country      string
	Contact      string // an address for questions and feedback
	// Procedure is the code of what may be done here, Begin where it begins: a
	// service of a portal. Documents are what is issued here: a service of a
	// register.
	Procedure, Begin string
	Documents        [][]sdg.Text
	Demo             bool
	Log              *slog.Logger
}

type service struct {
	*place
	c ServiceConfig
}

// NewService returns the handler of the two pages, which also has their assets.
func NewService(c ServiceConfig) (http.Handler, error) {
	if c.Key == "" || c.Name == "" || c.Country == "" || c.Contact == "" || (c.Procedure == "") == (len(c.Documents) == 0) {
		return nil, errors.New("web: a service needs Key, Name, Country, Contact, and a procedure or documents")
	}
	p, _, err := newPlace("service", c.BaseURL, nil, time.Now, c.Log)
	if err != nil {
		return nil, err
	}
	s := &service{p, c}
	mux := http.NewServeMux()
	for _, r := range []route{
		{"GET /service/" + c.Key, s.page("service")},
		{"GET /service/" + c.Key + "/support", s.page("support")},
		{"GET /assets/{name}", s.asset},
		{"/", s.nowhere},
	} {
		mux.HandleFunc(r.pattern, r.handle)
	}
	return s.guard(mux), nil
}

// page shows the template of a name.
func (s *service) page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		l := s.language(w, r)
		s.show(w, r, http.StatusOK, &leaf{Lang: l, Name: name, Brand: s.c.Name, Where: s.c.Country, Help: "/service/" + s.c.Key + "/support", Demo: s.c.Demo, Data: &s.c})
	}
}
