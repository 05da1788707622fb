// npm standardwebhooks, unchanged: signs as a TMS for the relay, and believes what the relay sends to subscribers.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const hook = new Webhook(told.secret);
const step = (name, fits, answer) =>
  console.log(fits ? `ok ${name}` : `WRONG ${name}: ${JSON.stringify(answer)}`);
const believed = (body, headers) => {
  try {
    hook.verify(body, headers);
    return true;
  } catch (refused) {
    return String(refused);
  }
};

const body = JSON.stringify({
  type: "shipment.collected", timestamp: new Date().toISOString(),
  data: { shipment_id: `${told.no}-01`, waybill_no: "YT1234567890123", carrier: "YTO", place: "杭州", note: "已揽收" },
});
const at = new Date();
const signed = {
  "content-type": "application/json", "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(at / 1000)),
  "webhook-signature": hook.sign("msg_1", at, body),
};
const post = async (text, headers) => (await fetch(`${told.relay}/hooks/tms`, { method: "POST", body: text, headers })).status;
step("the relay takes what it signs", (await post(body, signed)) < 300, signed);
step("the relay refuses what it did not sign", (await post(`${body} `, signed)) >= 400, signed);
const ours = JSON.parse(told.ours);
step("it believes what the relay sends", believed(ours.body, ours.headers) === true, believed(ours.body, ours.headers));
step("a forged one is not believed", believed(`${ours.body} `, ours.headers) !== true, ours);
