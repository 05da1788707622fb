package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"gopkg.in/yaml.v3"
)

// Walls say who calls (a ClaimMapper, by token and certificate) and what they may do (an Authorizer, by rights.yaml).
type Walls struct {
	issuers map[string]*issuer
	rights  map[string]*Rights
	logger  log.Logger
	now     func() time.Time
}

// Issuer is one source of tokens, as the walls' file names it.
type Issuer struct {
	Name     string `yaml:"issuer"`
	Audience string `yaml:"audience"`
	// file:/… or https://…, a JSON Web Key Set with RS256 or ES256 keys; read again every minute.
	Keys string `yaml:"keys"`
	// Who has to bring the token along: "subject", the process it was made for; else the name of the one process that
	// passes others' tokens on (the Web UI). By the common name of the client's certificate.
	Certificate string `yaml:"certificate"`
	// How long a token may live at most, from its iat to its exp.
	LongestLife time.Duration `yaml:"longest_life"`
	// Which roles it may give at all: keys that sign for people cannot make a worker.
	Roles []string `yaml:"roles"`
	// For an identity provider that knows nothing of us: the claim with its own words (a.b for nested ones), what they
	// mean here, and in which namespace. Without it: claim "permissions", a list of namespace:role.
	Claim     string            `yaml:"claim"`
	Words     map[string]string `yaml:"words"`
	Namespace string            `yaml:"namespace"`
}

type issuer struct {
	Issuer
	keys authorization.TokenKeyProvider
}

// Roles of a caller by namespace.
type grants map[string][]string

// ReadWalls reads the walls' file and the rights. Whatever is wrong with either keeps the server from starting.
func ReadWalls(file string, logger log.Logger) (*Walls, error) {
	content, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	var given struct {
		Issuers []Issuer `yaml:"issuers"`
	}
	decoder := yaml.NewDecoder(content)
	decoder.KnownFields(true)
	if err := decoder.Decode(&given); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	rights, err := readRights(rightsFile)
	if err != nil {
		return nil, fmt.Errorf("rights.yaml: %w", err)
	}
	walls := &Walls{issuers: map[string]*issuer{}, rights: rights, logger: logger, now: time.Now}
	for _, one := range given.Issuers {
		if err := walls.add(one); err != nil {
			return nil, fmt.Errorf("%s: issuer %q: %w", file, one.Name, err)
		}
	}
	if len(walls.issuers) == 0 {
		return nil, fmt.Errorf("%s: no issuer, so nobody could call", file)
	}
	return walls, nil
}

func (w *Walls) add(one Issuer) error {
	switch {
	case one.Name == "" || one.Audience == "" || one.Keys == "" || one.Certificate == "":
		return errors.New("issuer, audience, keys and certificate have to be there")
	case one.LongestLife <= 0:
		return errors.New("longest_life has to be there, such as 24h")
	case !strings.HasPrefix(one.Keys, "file:") && !strings.HasPrefix(one.Keys, "https:"):
		return errors.New("keys come from file:/… or https://…")
	case w.issuers[one.Name] != nil:
		return errors.New("there are two of this name")
	case (one.Claim == "") != (len(one.Words) == 0) || (one.Claim == "") != (one.Namespace == ""):
		return errors.New("claim, words and namespace belong together")
	}
	for _, role := range one.Roles {
		if role != keeper && w.rights[role] == nil {
			return fmt.Errorf("there is no role %q", role)
		}
	}
	for word, role := range one.Words {
		if !slices.Contains(one.Roles, role) {
			return fmt.Errorf("word %q means %q, which is none of its roles", word, role)
		}
	}
	provided := config.JWTKeyProvider{KeySourceURIs: []string{one.Keys}, RefreshInterval: refreshKeys}
	w.issuers[one.Name] = &issuer{
		one, authorization.NewDefaultTokenKeyProvider(&config.Authorization{JWTKeyProvider: provided}, w.logger),
	}
	return nil
}

// GetClaims says who calls. What cannot be believed is an error, which the server tells as PermissionDenied.
func (w *Walls) GetClaims(info *authorization.AuthInfo) (*authorization.Claims, error) {
	if info.AuthToken == "" {
		// A certificate alone opens nothing but health checks.
		return &authorization.Claims{}, nil
	}
	scheme, token, found := strings.Cut(info.AuthToken, " ")
	if !found || !strings.EqualFold(scheme, "bearer") {
		return nil, errors.New("the token is no bearer token")
	}
	said, from, err := w.believed(token)
	if err != nil {
		return nil, err
	}
	subject, _ := said["sub"].(string)
	if subject == "" {
		return nil, errors.New("the token names nobody (sub)")
	}
	bringer := from.Certificate
	if bringer == "subject" {
		bringer = subject
	}
	if info.TLSSubject == nil || info.TLSSubject.CommonName != bringer {
		return nil, fmt.Errorf("the token of %s is not brought by the certificate of %s", subject, bringer)
	}
	claims := &authorization.Claims{Subject: subject, AuthType: "jwt", Extensions: from.granted(said)}
	for namespace, roles := range claims.Extensions.(grants) {
		if slices.Contains(roles, keeper) && namespace == everywhere {
			claims.System = authorization.RoleAdmin
		}
	}
	return claims, nil
}

// Its words, and whose token it is; errors for whatever is not signed by a key of the issuer that it names.
func (w *Walls) believed(token string) (jwt.MapClaims, *issuer, error) {
	var from *issuer
	said := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "ES256"}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(token, said, func(t *jwt.Token) (any, error) {
		name, _ := said["iss"].(string)
		if from = w.issuers[name]; from == nil {
			return nil, fmt.Errorf("no issuer %q", name)
		}
		key, _ := t.Header["kid"].(string)
		if t.Method.Alg() == "RS256" {
			return from.keys.RsaKey(t.Method.Alg(), key)
		}
		return from.keys.EcdsaKey(t.Method.Alg(), key)
	})
	if err != nil {
		return nil, nil, err
	}
	now := w.now().Unix()
	made, hasMade := said["iat"].(float64)
	ends, hasEnd := said["exp"].(float64)
	switch {
	case !said.VerifyAudience(from.Audience, true):
		return nil, nil, errors.New("the token is for another audience")
	case !hasMade || !hasEnd:
		return nil, nil, errors.New("the token has to say iat and exp")
	case !said.VerifyExpiresAt(now, true) || !said.VerifyNotBefore(now, false) || int64(made) > now+60:
		return nil, nil, errors.New("the token has ended, or has not begun")
	case time.Duration(ends-made)*time.Second > from.LongestLife:
		return nil, nil, fmt.Errorf("the token lives longer than %s", from.LongestLife)
	}
	return said, from, nil
}

func (i *issuer) granted(said jwt.MapClaims) grants {
	found := grants{}
	if i.Claim == "" {
		listed, _ := said["permissions"].([]any)
		for _, one := range listed {
			text, _ := one.(string)
			namespace, role, _ := strings.Cut(text, ":")
			if slices.Contains(i.Roles, role) {
				found[namespace] = append(found[namespace], role)
			}
		}
		return found
	}
	var at any = map[string]any(said)
	for _, name := range strings.Split(i.Claim, ".") {
		inside, _ := at.(map[string]any)
		at = inside[name]
	}
	words, _ := at.([]any)
	for _, one := range words {
		if word, _ := one.(string); i.Words[word] != "" {
			found[i.Namespace] = append(found[i.Namespace], i.Words[word])
		}
	}
	return found
}

func (w *Walls) refused(claims *authorization.Claims, api, why string) {
	w.logger.Warn("refused", tag.String("caller", claims.Subject), tag.String("call", api), tag.String("why", why))
}
