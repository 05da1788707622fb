package main

// The payload codec of docs/contract/encryption.md: AES-256-GCM, the key by its id.

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const encrypted = "binary/encrypted"

// Encryption is a converter.PayloadCodec.
type Encryption struct {
	keys map[string]cipher.AEAD
	own  string
}

var _ converter.PayloadCodec = (*Encryption)(nil)

// NewEncryption: keys are `id:base64 of 32 bytes`, several with commas; own encrypts.
func NewEncryption(keys, own string) (*Encryption, error) {
	made := &Encryption{keys: map[string]cipher.AEAD{}, own: own}
	for _, pair := range strings.Split(keys, ",") {
		id, text, _ := strings.Cut(strings.TrimSpace(pair), ":")
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("the payload key %s has not 32 bytes in base64", id)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		if made.keys[id], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	}
	_, err := made.key(own)
	return made, err
}

func (e *Encryption) key(id string) (cipher.AEAD, error) {
	key, ok := e.keys[id]
	if !ok {
		return nil, fmt.Errorf("there is no key %s among the payload keys", id)
	}
	return key, nil
}

// Encode encrypts with our own key.
func (e *Encryption) Encode(payloads []*common.Payload) ([]*common.Payload, error) {
	key, err := e.key(e.own)
	if err != nil {
		return payloads, err
	}
	sealed := make([]*common.Payload, len(payloads))
	for i, payload := range payloads {
		plain, err := proto.Marshal(payload)
		if err != nil {
			return payloads, err
		}
		nonce := make([]byte, key.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return payloads, err
		}
		metadata := map[string][]byte{"encoding": []byte(encrypted), "encryption-key-id": []byte(e.own)}
		sealed[i] = &common.Payload{Metadata: metadata, Data: key.Seal(nonce, nonce, plain, nil)}
	}
	return sealed, nil
}

// Decode opens what is encrypted, and leaves the rest as it is.
func (e *Encryption) Decode(payloads []*common.Payload) ([]*common.Payload, error) {
	opened := make([]*common.Payload, len(payloads))
	for i, payload := range payloads {
		opened[i] = payload
		if string(payload.GetMetadata()["encoding"]) != encrypted {
			continue
		}
		plain, err := e.open(payload)
		if err != nil {
			return payloads, err
		}
		opened[i] = plain
	}
	return opened, nil
}

func (e *Encryption) open(payload *common.Payload) (*common.Payload, error) {
	id := string(payload.GetMetadata()["encryption-key-id"])
	key, err := e.key(id)
	if err != nil {
		return nil, err
	}
	var bound []byte
	if workflow := payload.GetMetadata()["encryption-workflow-id"]; workflow != nil {
		bound = []byte(encrypted + ":" + id + ":" + string(workflow))
	}
	data := payload.GetData()
	if len(data) < key.NonceSize() {
		return nil, fmt.Errorf("an encrypted payload of %d bytes", len(data))
	}
	plain, err := key.Open(nil, data[:key.NonceSize()], data[key.NonceSize():], bound)
	if err != nil {
		return nil, err
	}
	opened := &common.Payload{}
	return opened, proto.Unmarshal(plain, opened)
}
