// npm alipay-sdk, unchanged. Argument: the file with what the sandbox is.
import { readFileSync, readdirSync } from "node:fs";
import { AlipaySdk } from "alipay-sdk";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const no = told.no;
const pay = new AlipaySdk({
  appId: told.app_id, privateKey: told.private_key, keyType: "PKCS8", alipayPublicKey: told.platform_key,
  gateway: `${told.url}/gateway.do`, signType: "RSA2",
});
const step = (name, fits, answer) =>
  console.log(fits ? `ok ${name}` : `WRONG ${name}: ${JSON.stringify(answer)}`);
const ask = (method, bizContent, more = {}) => pay.exec(method, { bizContent, ...more }, { validateSign: true });

const made = await ask(
  "alipay.trade.precreate", { subject: "two cups", out_trade_no: no, total_amount: "195.80" },
  { notifyUrl: told.notify_url },
);
step("create", Boolean(made.qrCode), made);
await fetch(`${told.url}/_pay`, { method: "POST", body: JSON.stringify({ out_trade_no: no }) });
const byNo = await ask("alipay.trade.query", { out_trade_no: no });
step("query by out_trade_no", byNo.tradeStatus === "TRADE_SUCCESS" && byNo.totalAmount === "195.80", byNo);
const byId = await ask("alipay.trade.query", { trade_no: byNo.tradeNo });
step("query by trade_no", byId.outTradeNo === no, byId);
const back = await ask("alipay.trade.refund", { trade_no: byNo.tradeNo, refund_amount: "45.80", out_request_no: "R-1" });
step("refund by trade_no", back.fundChange === "Y" && back.refundFee === "45.80", back);
const found = await ask("alipay.trade.fastpay.refund.query", { out_trade_no: no, out_request_no: "R-1" });
step("query refund", found.refundStatus === "REFUND_SUCCESS", found);
const names = () => readdirSync(told.notices).filter((name) => name.endsWith(".json"));
for (let tried = 0; names().length < 2 && tried < 100; tried += 1) await new Promise((done) => setTimeout(done, 100));
for (const name of names()) {
  const { body } = JSON.parse(readFileSync(`${told.notices}/${name}`, "utf8"));
  const fields = Object.fromEntries(new URLSearchParams(body));
  const kind = "gmt_refund" in fields ? "refund" : "payment";
  step(`notice of the ${kind}`, pay.checkNotifySignV2(fields), fields);
  step(`a forged notice of the ${kind} is not believed`, !pay.checkNotifySignV2({ ...fields, total_amount: "0.01" }), fields);
}
step("both notices came", names().length >= 2, names());
