package watch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/once-only/oots/as4"
)

// linkClient follows links that countries gave: https only, few redirects, each
// to https too, addresses judged after their names are resolved. What it meets
// is hostile: a link is no way into the platform's own network.
type linkClient struct {
	http    *http.Client
	private bool
}

const (
	mostRedirects = 3
	mostRead      = 256 << 10
)

// newLinkClient makes one; private addresses may be called only if private says
// so. config may carry roots; nil means the system's.
func newLinkClient(private bool, config *tls.Config) *linkClient {
	l := &linkClient{http: as4.Reach{Private: private}.NewClient(config), private: private}
	l.http.Timeout = probeTime
	l.http.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > mostRedirects {
			return fmt.Errorf("the link leads on more than %d times", mostRedirects)
		}
		return l.allow(r.URL)
	}
	return l
}

// allow refuses where no link may lead.
func (l *linkClient) allow(u *url.URL) error {
	switch {
	case u.Scheme != "https" || u.Host == "":
		return errors.New("the link does not lead to an https address")
	case u.User != nil:
		return errors.New("the link carries a user name or password")
	case !l.private && local(u.Hostname()):
		return errors.New("the link leads to this machine")
	}
	return nil
}

// local tells whether a host is this machine by its name, which an access point
// may be and a public service may not.
func local(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// opens is content when a page answers.
func (l *linkClient) opens(ctx context.Context, link string) error {
	u, err := url.Parse(link)
	if err != nil {
		return errors.New("the link is no address")
	}
	if err := l.allow(u); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "oots-watch")
	resp, err := l.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, mostRead))
	switch {
	case err != nil:
		return fmt.Errorf("the page breaks off: %w", err)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("the link answers with status %d", resp.StatusCode)
	}
	return nil
}
