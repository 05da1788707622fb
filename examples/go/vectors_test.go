package main

// The contract's own examples, made anew.

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"reflect"
	"strings"
	"testing"

	"go.temporal.io/api/common/v1"
)

const contract = "../../docs/contract/"

func decoded(t *testing.T, part string) map[string]any {
	t.Helper()
	told := map[string]any{}
	read(must(base64.RawURLEncoding.DecodeString(part)), &told)
	return told
}

func number(t *testing.T, value any) int64 {
	t.Helper()
	return must(value.(json.Number).Int64())
}

func TestTheProofOfAStartIsTheOneOfTheContract(t *testing.T) {
	example := map[string]any{}
	read(must(os.ReadFile(contract+"start-proof.json")), &example)
	message, claims := example["message"].(map[string]any), example["claims"].(map[string]any)
	if text := must(Canonical(message)); text != example["canonical"] {
		t.Fatal(text)
	}
	if hash := must(ContentHash(message)); hash != example["content_hash"] {
		t.Fatal(hash)
	}
	key := ed25519.NewKeyFromSeed(must(hex.DecodeString(example["private_seed_hex"].(string))))
	der := must(x509.MarshalPKCS8PrivateKey(key))
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	service := must(NewService(claims["sub"].(string), string(text)))
	kid := example["public_jwks"].(map[string]any)["keys"].([]any)[0].(map[string]any)["kid"]
	if service.KeyID != kid {
		t.Fatal(service.KeyID)
	}
	bound := Bound{claims["workflow_id"].(string), claims["command"].(string), claims["on_behalf_of"].(string)}
	made := must(service.Signed(
		message, bound, claims["jti"].(string), number(t, claims["iat"]), number(t, claims["exp"])))
	told := decoded(t, strings.Split(made, ".")[1])
	if wanted := decoded(t, strings.Split(example["jws"].(string), ".")[1]); !reflect.DeepEqual(told, wanted) {
		t.Fatal(told, wanted)
	}
}

func TestTextIsWrittenAsOtherLanguagesWriteIt(t *testing.T) {
	text := must(Canonical(map[string]any{"b": "<&>\u2028\\u2028", "a": []any{int64(1), nil, true, "杯"}}))
	if text != "{\"a\":[1,null,true,\"杯\"],\"b\":\"<&>\u2028\\\\u2028\"}" {
		t.Fatal(text)
	}
	if _, err := Canonical(1.5); err == nil {
		t.Fatal("a fraction was taken")
	}
}

func TestThePayloadOfTheContractIsReadAndWhatIsEncryptedIsReadAgain(t *testing.T) {
	codec := must(NewEncryption("2026:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "2026"))
	data := "BwcHBwcHBwcHBwcHBXysVAphtJui9H3nklue6M4yogPkluh37Lcl2GanECEFK4ENoz1rLnYePuctecMWMErppysi"
	sealed := &common.Payload{Data: must(base64.StdEncoding.DecodeString(data)), Metadata: map[string][]byte{
		"encoding": []byte(encrypted), "encryption-key-id": []byte("2026"), "encryption-workflow-id": []byte("order/SO1"),
	}}
	plain := must(codec.Decode([]*common.Payload{sealed}))
	again := must(codec.Decode(must(codec.Encode(plain))))
	for _, read := range [][]*common.Payload{plain, again} {
		if string(read[0].GetData()) != `{"by":"ops"}` {
			t.Fatal(string(read[0].GetData()))
		}
	}
}
