/**
 * An order's whole life from a backend in TypeScript: started, paid, moved, delivered, returned and refunded.
 * The backend's part goes through Temporal (docs/contract); the buyer's wallet, the couriers and our own people's part
 * through `oms`, as docs/sandbox.md and docs/returns.md tell it. Needs a local stack: `make up`, then
 *
 *     set -a; . .local/stack.env; set +a; npm --prefix examples/typescript run story
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Orders, type CaseState } from "./orders.js";
import { Service, type Message } from "./proof.js";

const ROOT = join(import.meta.dirname, "../../..");
const PATIENCE_S = 300;
/** A grey dot. */
const A_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
type OrderMessage = Message & { order_no: string; buyer: { buyer_id: string } };

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start the stack with \`make up\`, then \`. .local/stack.env\``);
  return value;
}

function oms(...words: string[]): string {
  return execFileSync(join(ROOT, ".venv/bin/oms"), words, { cwd: ROOT, encoding: "utf8" });
}

async function until<T>(what: string, look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (let second = 0; second < PATIENCE_S; second += 1) {
    const seen = await look();
    if (isSo(seen)) return seen;
    await pause(1000);
  }
  throw new Error(`${what} did not come within ${PATIENCE_S} s`);
}

function anOrder(number: string): OrderMessage {
  const order = JSON.parse(readFileSync(join(ROOT, "examples/order.json"), "utf8")) as OrderMessage;
  return { ...order, order_no: number, channel_order_no: `C-${number}`, placed_at: new Date().toISOString() };
}

async function story(orders: Orders): Promise<void> {
  const number = `SO${Date.now()}`;
  const order = anOrder(number);
  const buyer = order.buyer.buyer_id;
  for (const line of order["lines"] as { sku: string; tags: { warehouse: string } }[]) {
    oms("stock", "receive", line.sku, line.tags.warehouse, "10", "--ref", `GR-${number}-${line.sku}`, "--by", "demo-warehouse");
  }
  const placed = await orders.start(order);
  console.log(`started: ${placed.order_no}`);

  oms("sandbox", "pay", number);
  await until("the parcels", () => orders.order(number), (seen) => seen.payment_status === "PAID" && seen.children.length > 0);
  console.log("paid");
  await until("shipping", () => orders.order(number), (seen) => seen.children.every((child) => child.waybill_no));
  oms("sandbox", "move", number, "--to-end");
  await until("delivery", () => orders.order(number), (seen) => seen.status === "DELIVERED");
  console.log("delivered");

  const returnNo = `RT${Date.now()}`;
  const line = (order["lines"] as { line_id: string }[])[0]!.line_id;
  const picture = join(mkdtempSync(join(tmpdir(), "oms-")), "photo.png");
  writeFileSync(picture, Buffer.from(A_PICTURE, "base64"));
  const added = oms("return", "evidence", "add", returnNo, picture, "--order", number, "--by", buyer, "--json");
  const [{ evidence_id: evidence }] = JSON.parse(added) as [{ evidence_id: string }];
  await orders.applyForReturn({
    return_no: returnNo, order_no: number, type: "return_refund", channel: "app", actor: { kind: "buyer", id: buyer },
    lines: { [line]: 1 }, reason: "no_reason", fault: "none", evidence: [evidence],
  });
  console.log(`applied: ${returnNo}`);
  await agreed(orders, returnNo, (seen) => !seen.status.endsWith("REVIEW"));
  const slip = JSON.parse(oms("return", "slip", returnNo, "--json")) as { code: string };
  oms("return", "receive", slip.code, "--by", "demo-warehouse");
  oms("return", "inspect", slip.code, "--good", "1", "--by", "demo-warehouse");
  const ended = await agreed(orders, returnNo, (seen) => seen.status === "REFUNDED");
  // The order's own view tells what the order itself gave back; the books tell all of it.
  const shown = JSON.parse(oms("order", "show", number, "--json")) as { detail: { order: { refunded_minor: number } } };
  if (shown.detail.order.refunded_minor !== ended.refunded_minor) throw new Error(`${returnNo} and ${number} tell two amounts`);
  console.log(`refunded: ${ended.refunded_minor} fen`);
}

/** Whoever has to agree does, until it is so. */
async function agreed(orders: Orders, returnNo: string, isSo: (seen: CaseState) => boolean): Promise<CaseState> {
  const done = new Set<string>();
  return until(`what ${returnNo} waits for`, async () => {
    for (const person of ["demo-lead", "demo-finance"]) {
      const waiting = JSON.parse(oms("approve", "list", "--mine", person, "--json")) as { request: { approval_id: string; subject: string } }[];
      for (const { approval_id: id } of waiting.map((one) => one.request).filter((one) => one.subject === returnNo)) {
        if (done.has(`${id} ${person}`)) continue;
        oms("approve", "approve", id, "--as", person, "--remark", "agreed");
        done.add(`${id} ${person}`);
      }
    }
    return orders.return(returnNo);
  }, isSo);
}

const service = new Service(setting("OMS_SERVICE_NAME"), setting("OMS_SERVICE_PRIVATE_KEY").replaceAll("\\n", "\n"));
const orders = await Orders.connect(
  {
    address: setting("TEMPORAL_ADDRESS"), namespace: setting("TEMPORAL_NAMESPACE"),
    payloadKeys: setting("OMS_PAYLOAD_KEYS"), payloadKey: setting("OMS_PAYLOAD_OWN"),
  },
  service,
);
try {
  await story(orders);
} finally {
  await orders.close();
}
