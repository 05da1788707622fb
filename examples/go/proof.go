package main

// The proof that a command or a start carries: docs/authority.md, docs/contract/README.md "Who starts an order".

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"sort"
	"strings"
	"time"
)

const (
	livesS   = 600
	audience = "oms-approvals"
)

// Message is a message of the contract. Numbers are integers in every one: json.Number or int64.
type Message = map[string]any

// Bound is what a proof is made for. OnBehalfOf: the message's `by`, of a start the buyer.
type Bound struct{ WorkflowID, Command, OnBehalfOf string }

// Service is a backend: it signs what it sends with its own key (OMS_SERVICE_PRIVATE_KEY, PEM).
type Service struct {
	Name  string
	KeyID string
	key   ed25519.PrivateKey
}

// NewService reads the key. The key's id is its RFC 7638 thumbprint: the required members only, in this order.
func NewService(name, text string) (*Service, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("the key of %s is no PEM", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key of %s is not Ed25519", name)
	}
	x := base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	thumb := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return &Service{Name: name, KeyID: base64.RawURLEncoding.EncodeToString(thumb[:]), key: key}, nil
}

// Proven is the message with its proof: made for this workflow, command and content, and it serves once.
func (s *Service) Proven(message Message, bound Bound) (Message, error) {
	number := make([]byte, 18)
	if _, err := rand.Read(number); err != nil {
		return nil, err
	}
	now := time.Now().Unix()
	proof, err := s.Signed(message, bound, base64.RawURLEncoding.EncodeToString(number), now, now+livesS)
	if err != nil {
		return nil, err
	}
	proven := maps.Clone(message)
	proven["proof"] = proof
	return proven, nil
}

// Signed is the JWS alone. Times in seconds.
func (s *Service) Signed(message Message, bound Bound, jti string, iat, exp int64) (string, error) {
	hash, err := ContentHash(message)
	if err != nil {
		return "", err
	}
	header := Message{"alg": "EdDSA", "kid": s.KeyID, "typ": "JWT"}
	claims := Message{
		"iss": s.Name, "sub": s.Name, "aud": audience, "jti": jti, "iat": iat, "exp": exp,
		"workflow_id": bound.WorkflowID, "command": bound.Command, "content_hash": hash, "on_behalf_of": bound.OnBehalfOf,
	}
	var parts []string
	for _, part := range []Message{header, claims} {
		text, err := Canonical(part)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString([]byte(text)))
	}
	text := strings.Join(parts, ".")
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.key, []byte(text))), nil
}

// ContentHash is of the message without its proof.
func ContentHash(message Message) (string, error) {
	rest := maps.Clone(message)
	delete(rest, "proof")
	text, err := Canonical(rest)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:]), err
}

// Canonical is JSON with keys sorted by code point and no spaces; nothing is escaped that need not be.
func Canonical(value any) (string, error) {
	switch known := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(known))
		for name := range known {
			names = append(names, name)
		}
		sort.Strings(names) // Go sorts UTF-8 by byte, which is by code point.
		var members []string
		for _, name := range names {
			key, err := plain(name)
			inner, innerErr := Canonical(known[name])
			if err = errors.Join(err, innerErr); err != nil {
				return "", err
			}
			members = append(members, key+":"+inner)
		}
		return "{" + strings.Join(members, ",") + "}", nil
	case []any:
		var items []string
		for _, item := range known {
			inner, err := Canonical(item)
			if err != nil {
				return "", err
			}
			items = append(items, inner)
		}
		return "[" + strings.Join(items, ",") + "]", nil
	case float32, float64:
		return "", fmt.Errorf("%v is no whole number: read messages with json.Decoder.UseNumber", known)
	default:
		return plain(known)
	}
}

// plain is JSON without the escapes that Go adds for HTML and for JavaScript.
func plain(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	text := strings.TrimSuffix(out.String(), "\n")
	return unescaped(unescaped(text, `\u2028`, "\u2028"), `\u2029`, "\u2029"), nil
}

// unescaped leaves an escaped backslash before the sequence alone.
func unescaped(text, escape, sign string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], escape):
			out.WriteString(sign)
			i += len(escape)
		case text[i] == '\\' && i+1 < len(text):
			out.WriteString(text[i : i+2])
			i += 2
		default:
			out.WriteByte(text[i])
			i++
		}
	}
	return out.String()
}
