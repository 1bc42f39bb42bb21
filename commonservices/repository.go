package commonservices

import "net/http"

// repository answers the Semantic Repository's addresses.
func (s *Server) repository(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
