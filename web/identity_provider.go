package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/once-only/oots/commonservices/seed"
)

// TestIdentityConfig of the built-in identity provider. It signs in anybody as
// one of its fictitious people, without a password: for development and
// demonstrations alone.
type TestIdentityConfig struct {
	Issuer  string // its address without a final slash; required
	Clients []TestIdentityClient
	People  []seed.Person // none: those of the seed
	Now     func() time.Time
	Log     *slog.Logger
}

// TestIdentityClient is who may ask for an identity.
type TestIdentityClient struct {
	ID, Secret string // an empty secret: PKCE alone
	// Country gets identifiers as the asking country does (FI/NL/…).
	Country string
	// Callbacks are the only addresses that answers go to, compared as a whole.
	Callbacks []string
}

// testIdentity is a small OpenID provider: discovery, authorize, token, jwks and
// userinfo of OpenID Connect Core 1.0, code flow with PKCE, ES256.
type testIdentity struct {
	*place
	c   TestIdentityConfig
	key *ecdsa.PrivateKey
	kid string

	mu     sync.Mutex
	codes  map[string]grant
	tokens map[string]grant // for userinfo
}

// grant is a person who let a client in.
type grant struct {
	client, callback, nonce, challenge string
	claims                             claims
	until                              time.Time
}

const (
	codeTime   = time.Minute
	tokenTime  = 5 * time.Minute
	mostGrants = 10_000
)

// account is a person on the page, perhaps acting for an organisation.
type account struct {
	Person       seed.Person
	Organisation *seed.Person
}

// NewTestIdentity makes the provider; its key lives as long as it does.
func NewTestIdentity(c TestIdentityConfig) (http.Handler, error) {
	if c.People == nil {
		c.People = seed.People()
	}
	p, base, err := newPlace("identity", c.Issuer, nil, c.Now, c.Log)
	if err != nil {
		return nil, err
	}
	if len(c.Clients) == 0 {
		return nil, errors.New("web: the test identity provider has no clients, so nobody could use it")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c.Issuer = strings.TrimSuffix(c.Issuer, "/")
	t := &testIdentity{place: p, c: c, key: key, codes: map[string]grant{}, tokens: map[string]grant{}}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(point)
	t.kid = hex.EncodeToString(sum[:8])
	mux := http.NewServeMux()
	for _, r := range []route{
		{"GET /.well-known/openid-configuration", t.configuration},
		{"GET /jwks", t.jwks},
		{"GET /authorize", t.authorize},
		{"POST /authorize", t.authorized},
		{"GET /userinfo", t.userinfo},
		{"GET /assets/{name}", t.asset},
		{"GET /robots.txt", t.robots},
		{"/", t.nowhere},
	} {
		mux.HandleFunc(r.pattern, r.handle)
	}
	guarded := t.guard(mux)
	outer := http.NewServeMux()
	outer.Handle("/", guarded)
	outer.HandleFunc("POST /token", t.token) // called by servers, without a browser
	if base.Path == "" {
		return outer, nil
	}
	return http.StripPrefix(base.Path, outer), nil
}

func (t *testIdentity) json(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
}

func (t *testIdentity) configuration(w http.ResponseWriter, _ *http.Request) {
	t.json(w, http.StatusOK, map[string]any{
		"issuer": t.c.Issuer, "authorization_endpoint": t.c.Issuer + "/authorize", "token_endpoint": t.c.Issuer + "/token",
		"jwks_uri": t.c.Issuer + "/jwks", "userinfo_endpoint": t.c.Issuer + "/userinfo",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"ES256"}, "scopes_supported": []string{"openid", "profile", "eidas"},
		"code_challenge_methods_supported": []string{"S256"}, "acr_values_supported": []string{"Low", "Substantial", "High"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
	})
}

func (t *testIdentity) jwks(w http.ResponseWriter, _ *http.Request) {
	point, err := t.key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		t.json(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	b64 := base64.RawURLEncoding.EncodeToString
	t.json(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
		"kid": t.kid, "x": b64(point[1:33]), "y": b64(point[33:])}}})
}

// asked checks an authorization request. A wrong client or callback is told to
// the person, never sent anywhere.
func (t *testIdentity) asked(q url.Values) *TestIdentityClient {
	for i := range t.c.Clients {
		c := &t.c.Clients[i]
		if c.ID == q.Get("client_id") && slices.Contains(c.Callbacks, q.Get("redirect_uri")) && q.Get("response_type") == "code" &&
			slices.Contains(strings.Fields(q.Get("scope")), "openid") && q.Get("code_challenge_method") == "S256" && len(q.Get("code_challenge")) == 43 {
			return c
		}
	}
	return nil
}

// accounts that a person may be, those of the hinted country first and, where
// there are any, alone.
func (t *testIdentity) accounts(country string) (all []account) {
	var hinted []account
	for _, p := range t.c.People {
		a := account{Person: p}
		switch p.Role {
		case "legal":
			continue
		case "representative":
			for i := range t.c.People {
				if o := &t.c.People[i]; o.Role == "legal" && o.Country == p.Country {
					a.Organisation = o
				}
			}
		}
		all = append(all, a)
		if country != "" && p.Country == country {
			hinted = append(hinted, a)
		}
	}
	if len(hinted) > 0 {
		return hinted
	}
	return all
}

// identityPage is GET /authorize.
type identityPage struct {
	Accounts []account
	Asked    string // the request, to be sent along
	Everyone string // address that lists all accounts; empty when they are listed
	Cancel   string
}

func (t *testIdentity) authorize(w http.ResponseWriter, r *http.Request) {
	l := t.localed(w, r)
	q := r.URL.Query()
	if len(r.URL.RawQuery) > 4000 || t.asked(q) == nil {
		t.refuse(w, r, l, http.StatusBadRequest, "identity.badclient")
		return
	}
	callback := q.Get("redirect_uri")
	page := &identityPage{Accounts: t.accounts(q.Get("login_hint")), Asked: q.Encode(),
		Cancel: with(callback, url.Values{"error": {"access_denied"}, "state": {q.Get("state")}})}
	if len(page.Accounts) < len(t.accounts("")) {
		q.Del("login_hint")
		page.Everyone = "authorize?" + q.Encode()
	}
	w.Header().Set("Content-Security-Policy", contentRules(origin(callback)))
	t.show(w, r, http.StatusOK, &leaf{Lang: l, Name: "identity", Brand: l.Text("identity.brand"), Data: page})
}

// localed is the language that the client asks for.
func (t *testIdentity) localed(w http.ResponseWriter, r *http.Request) *lang {
	if r.URL.Query().Get("lang") == "" {
		for _, want := range strings.Fields(r.URL.Query().Get("ui_locales")) {
			for _, l := range t.langs {
				if l.Code == want {
					return l
				}
			}
		}
	}
	return t.language(w, r)
}

func with(address string, more url.Values) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	q := u.Query()
	for name, values := range more {
		q[name] = values
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (t *testIdentity) authorized(w http.ResponseWriter, r *http.Request) {
	l := t.localed(w, r)
	q, err := url.ParseQuery(r.PostFormValue("asked"))
	client := t.asked(q)
	if err != nil || client == nil {
		t.refuse(w, r, l, http.StatusBadRequest, "identity.badclient")
		return
	}
	var chosen *account
	for _, a := range t.accounts("") {
		if a.key() == r.PostFormValue("account") {
			chosen = &a
			break
		}
	}
	if chosen == nil {
		t.refuse(w, r, l, http.StatusBadRequest, "identity.nobody")
		return
	}
	code := secret() + secret()
	g := grant{client: client.ID, callback: q.Get("redirect_uri"), nonce: q.Get("nonce"), challenge: q.Get("code_challenge"),
		claims: t.claims(chosen, client), until: t.now().Add(codeTime)}
	t.keep(t.codes, code, g)
	w.Header().Set("Content-Security-Policy", contentRules(origin(g.callback)))
	http.Redirect(w, r, with(g.callback, url.Values{"code": {code}, "state": {q.Get("state")}}), http.StatusSeeOther)
}

// Key names an account in the form.
func (a account) key() string { return strings.ToLower(a.Person.Given + "-" + a.Person.Family) }

// Key is key, for the template.
func (a account) Key() string { return a.key() }

// claims of a person for a client: identifiers are written for its country.
func (t *testIdentity) claims(a *account, client *TestIdentityClient) claims {
	sum := sha256.Sum256([]byte(client.ID + "\n" + a.key()))
	c := claims{Issuer: t.c.Issuer, Subject: hex.EncodeToString(sum[:12]), ACR: a.Person.Level, FamilyName: a.Person.Family, GivenName: a.Person.Given,
		Birthdate: a.Person.Born, Gender: a.Person.Gender, PersonID: a.Person.IdentifierFor(client.Country)}
	if a.Organisation != nil {
		c.LegalPerson, c.LegalName = a.Organisation.IdentifierFor(client.Country), a.Organisation.Family
	}
	return c
}

// keep stores a grant, and forgets what is over.
func (t *testIdentity) keep(in map[string]grant, key string, g grant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(in) >= mostGrants/2 {
		for k, v := range in {
			if now.After(v.until) || len(in) >= mostGrants {
				delete(in, k)
			}
		}
	}
	in[key] = g
}

// token is POST /token: a code is good once, for a minute, for its client, with
// its verifier.
func (t *testIdentity) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	refuse := func(status int, code string) { t.json(w, status, map[string]string{"error": code}) }
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "authorization_code" {
		refuse(http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	id, password, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		password, _ = url.QueryUnescape(password)
	} else {
		id, password = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	at := slices.IndexFunc(t.c.Clients, func(c TestIdentityClient) bool { return c.ID == id })
	if at < 0 || subtle.ConstantTimeCompare([]byte(t.c.Clients[at].Secret), []byte(password)) != 1 {
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	}
	t.mu.Lock()
	g, ok := t.codes[r.PostForm.Get("code")]
	delete(t.codes, r.PostForm.Get("code"))
	t.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if !ok || g.client != id || g.callback != r.PostForm.Get("redirect_uri") || !t.now().Before(g.until) ||
		subtle.ConstantTimeCompare([]byte(challenge), []byte(g.challenge)) != 1 {
		refuse(http.StatusBadRequest, "invalid_grant")
		return
	}
	idToken, err := t.sign(g)
	if err != nil {
		refuse(http.StatusInternalServerError, "server_error")
		return
	}
	access := secret() + secret()
	g.until = t.now().Add(tokenTime)
	t.keep(t.tokens, access, g)
	t.json(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(tokenTime / time.Second), "id_token": idToken})
}

// sign writes an id token: a JWS in compact form, ES256 (RFC 7515, RFC 7518 §3.4).
func (t *testIdentity) sign(g grant) (string, error) {
	now := t.now().Unix()
	c := g.claims
	c.Nonce = g.nonce
	body, err := json.Marshal(struct {
		claims
		Aud string `json:"aud"`
		Iat int64  `json:"iat"`
		Exp int64  `json:"exp"`
	}{c, g.client, now, now + int64(tokenTime/time.Second)})
	if err != nil {
		return "", err
	}
	head, err := json.Marshal(map[string]string{"alg": "ES256", "typ": "JWT", "kid": t.kid})
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64(head) + "." + b64(body)
	sum := sha256.Sum256([]byte(signed))
	x, y, err := ecdsa.Sign(rand.Reader, t.key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	x.FillBytes(signature[:32])
	y.FillBytes(signature[32:])
	return signed + "." + b64(signature), nil
}

// userinfo tells once more who signed in.
func (t *testIdentity) userinfo(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t.mu.Lock()
	g, known := t.tokens[token]
	t.mu.Unlock()
	if !ok || !known || !t.now().Before(g.until) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		t.json(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	t.json(w, http.StatusOK, g.claims)
}
