/** The payload codec of docs/contract/encryption.md: AES-256-GCM, the key by its id. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;
const ENCRYPTED = "binary/encrypted";
const NONCE = 12;
const TAG = 16;
const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString("utf8");
const bytes = (value: string): Uint8Array => Buffer.from(value, "utf8");

export class Encryption implements PayloadCodec {
  readonly #keys: ReadonlyMap<string, Buffer>;

  /** `keys`: `id:base64 of 32 bytes`, several with commas. The first one, or `own`, encrypts. */
  constructor(keys: string, readonly own: string = keys.split(":")[0] ?? "") {
    const pairs = keys.split(",").map((pair) => pair.trim().split(":") as [string, string]);
    this.#keys = new Map(pairs.map(([id, key]) => [id, Buffer.from(key, "base64")]));
    this.#key(own);
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv("aes-256-gcm", this.#key(this.own), nonce);
      const plain = PayloadMessage.encode(payload).finish();
      const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { metadata: { encoding: bytes(ENCRYPTED), "encryption-key-id": bytes(this.own) }, data };
    });
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => (text(payload.metadata?.["encoding"]) === ENCRYPTED ? this.#open(payload) : payload));
  }

  #open(payload: Payload): Payload {
    const id = text(payload.metadata?.["encryption-key-id"]);
    const data = Buffer.from(payload.data ?? []);
    const cipher = createDecipheriv("aes-256-gcm", this.#key(id), data.subarray(0, NONCE));
    const bound = payload.metadata?.["encryption-workflow-id"];
    if (bound) cipher.setAAD(Buffer.from(`${ENCRYPTED}:${id}:${text(bound)}`, "utf8"));
    cipher.setAuthTag(data.subarray(-TAG));
    const plain = Buffer.concat([cipher.update(data.subarray(NONCE, -TAG)), cipher.final()]);
    return PayloadMessage.decode(plain) as Payload;
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id);
    if (!key || key.length !== 32) throw new Error(`there is no key ${id} of 32 bytes among the payload keys`);
    return key;
  }
}
