/** The proof that a command or a start carries: docs/authority.md, docs/contract/README.md "Who starts an order". */
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from "node:crypto";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Message = { [name: string]: Json };

const LIVES_S = 600;
const AUDIENCE = "oms-approvals";

/** JSON with sorted keys and no spaces; nothing escaped that need not be. Numbers are integers in every message. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort(byCodePoint);
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] as Json)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

export const contentHash = (message: Message): string =>
  createHash("sha256").update(canonical(withoutProof(message)), "utf8").digest("hex");

export interface Bound {
  workflowId: string;
  command: string;
  /** The message's `by`, of a start the buyer. */
  onBehalfOf: string;
}

/** A backend: it signs what it sends with its own key (`OMS_SERVICE_PRIVATE_KEY`, PEM). */
export class Service {
  readonly #key: KeyObject;
  readonly keyId: string;

  constructor(readonly name: string, pem: string) {
    this.#key = createPrivateKey(pem);
    const jwk = createPublicKey(this.#key).export({ format: "jwk" });
    if (jwk.crv !== "Ed25519") throw new Error(`the key of ${name} is ${jwk.crv ?? jwk.kty}, not Ed25519`);
    // RFC 7638: the required members only, in this order.
    this.keyId = createHash("sha256").update(`{"crv":"${jwk.crv}","kty":"OKP","x":"${jwk.x}"}`).digest("base64url");
  }

  /** The message with its proof: made for this workflow, command and content, and it serves once. */
  proven(message: Message, bound: Bound): Message {
    const now = Math.floor(Date.now() / 1000);
    return { ...message, proof: this.signed(message, bound, { jti: randomBytes(18).toString("base64url"), iat: now }) };
  }

  signed(message: Message, bound: Bound, told: { jti: string; iat: number; exp?: number }): string {
    const claims: Message = {
      iss: this.name, sub: this.name, aud: AUDIENCE, jti: told.jti, iat: told.iat, exp: told.exp ?? told.iat + LIVES_S,
      workflow_id: bound.workflowId, command: bound.command, content_hash: contentHash(message),
      on_behalf_of: bound.onBehalfOf,
    };
    const header = { alg: "EdDSA", kid: this.keyId, typ: "JWT" };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${text}.${sign(null, Buffer.from(text), this.#key).toString("base64url")}`;
  }
}

function withoutProof({ proof: _, ...rest }: Message): Message {
  return rest;
}

/** As Python sorts: by code point. JavaScript's own order is by UTF-16 unit. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}
