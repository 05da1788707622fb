/** The contract's own examples, made anew. */
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Encryption } from "./encryption.js";
import { canonical, contentHash, Service, type Message } from "./proof.js";

const CONTRACT = new URL("../../../docs/contract/", import.meta.url);

test("the proof of a start is the one of docs/contract/start-proof.json", () => {
  const example = JSON.parse(readFileSync(new URL("start-proof.json", CONTRACT), "utf8"));
  assert.equal(canonical(example.message), example.canonical);
  assert.equal(contentHash(example.message), example.content_hash);
  const seed = Buffer.from(example.private_seed_hex, "hex");
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const pem = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
  const { claims } = example;
  const service = new Service(claims.sub, pem.toString());
  assert.equal(service.keyId, example.public_jwks.keys[0].kid);
  const bound = { workflowId: claims.workflow_id, command: claims.command, onBehalfOf: claims.on_behalf_of };
  const made = service.signed(example.message as Message, bound, claims).split(".");
  assert.deepEqual(decoded(made[1]), decoded(example.jws.split(".")[1]));
});

test("the payload of docs/contract/encryption.md is read, and what is encrypted is read again", async () => {
  const codec = new Encryption("2026:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
  const metadata = { encoding: "binary/encrypted", "encryption-key-id": "2026", "encryption-workflow-id": "order/SO1" };
  const data = Buffer.from(
    "BwcHBwcHBwcHBwcHBXysVAphtJui9H3nklue6M4yogPkluh37Lcl2GanECEFK4ENoz1rLnYePuctecMWMErppysi", "base64");
  const sealed = {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value)])), data,
  };
  const [plain] = await codec.decode([sealed]);
  assert.equal(Buffer.from(plain?.data ?? []).toString(), '{"by":"ops"}');
  const [again] = await codec.decode(await codec.encode([plain!]));
  assert.deepEqual(Buffer.from(again?.data ?? []), Buffer.from(plain?.data ?? []));
});

function decoded(part: string | undefined): unknown {
  return JSON.parse(Buffer.from(part ?? "", "base64url").toString());
}
