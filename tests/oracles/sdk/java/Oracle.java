// wechatpay-java, unchanged. Argument: the file with what the sandbox is.
import com.google.gson.Gson;
import com.wechat.pay.java.core.Config;
import com.wechat.pay.java.core.RSAPublicKeyConfig;
import com.wechat.pay.java.core.http.DefaultHttpClientBuilder;
import com.wechat.pay.java.core.http.HttpClient;
import com.wechat.pay.java.core.notification.NotificationParser;
import com.wechat.pay.java.core.notification.RSAPublicKeyNotificationConfig;
import com.wechat.pay.java.core.notification.RequestParam;
import com.wechat.pay.java.service.payments.model.Transaction;
import com.wechat.pay.java.service.payments.nativepay.NativePayService;
import com.wechat.pay.java.service.payments.nativepay.model.Amount;
import com.wechat.pay.java.service.payments.nativepay.model.PrepayRequest;
import com.wechat.pay.java.service.payments.nativepay.model.QueryOrderByIdRequest;
import com.wechat.pay.java.service.payments.nativepay.model.QueryOrderByOutTradeNoRequest;
import com.wechat.pay.java.service.refund.RefundService;
import com.wechat.pay.java.service.refund.model.AmountReq;
import com.wechat.pay.java.service.refund.model.CreateRequest;
import com.wechat.pay.java.service.refund.model.QueryByOutRefundNoRequest;
import com.wechat.pay.java.service.refund.model.Refund;
import java.io.File;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;

public class Oracle {
  static void step(String name, boolean fits, Object answer) {
    System.out.println(fits ? "ok " + name : "WRONG " + name + ": " + answer);
  }

  static class Sent {
    Map<String, String> headers;
    String body;

    String header(String wanted) {
      return headers.entrySet().stream().filter(e -> e.getKey().equalsIgnoreCase(wanted)).findFirst().get().getValue();
    }
  }

  public static void main(String[] words) throws Exception {
    Map<String, String> told = new Gson().fromJson(Files.readString(Path.of(words[0])), Map.class);
    String no = told.get("no");
    Config config = new RSAPublicKeyConfig.Builder().merchantId(told.get("mchid")).privateKey(told.get("private_key"))
        .publicKey(told.get("platform_key")).publicKeyId(told.get("platform_id"))
        .merchantSerialNumber(told.get("serial")).apiV3Key(told.get("apiv3_key")).build();
    HttpUrl sandbox = HttpUrl.get(told.get("url"));
    OkHttpClient elsewhere = new OkHttpClient.Builder().addInterceptor(chain -> {
      HttpUrl there = chain.request().url().newBuilder().scheme("http").host(sandbox.host()).port(sandbox.port()).build();
      return chain.proceed(chain.request().newBuilder().url(there).build());
    }).build();
    HttpClient http = new DefaultHttpClientBuilder().config(config).okHttpClient(elsewhere).build();
    NativePayService orders = new NativePayService.Builder().httpClient(http).build();
    RefundService refunds = new RefundService.Builder().httpClient(http).build();

    PrepayRequest asked = new PrepayRequest();
    Amount amount = new Amount();
    amount.setTotal(19580);
    asked.setAmount(amount);
    asked.setAppid(told.get("appid"));
    asked.setMchid(told.get("mchid"));
    asked.setDescription("two cups");
    asked.setOutTradeNo(no);
    asked.setNotifyUrl(told.get("notify_url"));
    asked.setAttach("from the app");
    String code = orders.prepay(asked).getCodeUrl();
    step("create, without a currency", code != null, code);
    java.net.http.HttpClient.newBuilder().version(java.net.http.HttpClient.Version.HTTP_1_1).build().send(HttpRequest.newBuilder(URI.create(told.get("url") + "/_pay"))
        .POST(HttpRequest.BodyPublishers.ofString("{\"out_trade_no\":\"" + no + "\"}")).build(),
        HttpResponse.BodyHandlers.ofString());
    QueryOrderByOutTradeNoRequest byNo = new QueryOrderByOutTradeNoRequest();
    byNo.setMchid(told.get("mchid"));
    byNo.setOutTradeNo(no);
    Transaction trade = orders.queryOrderByOutTradeNo(byNo);
    step("query by out_trade_no", trade.getTradeState() == Transaction.TradeStateEnum.SUCCESS
        && "from the app".equals(trade.getAttach()), trade);
    QueryOrderByIdRequest byId = new QueryOrderByIdRequest();
    byId.setMchid(told.get("mchid"));
    byId.setTransactionId(trade.getTransactionId());
    step("query by transaction_id", no.equals(orders.queryOrderById(byId).getOutTradeNo()), trade);
    CreateRequest wish = new CreateRequest();
    AmountReq part = new AmountReq();
    part.setRefund(4580L);
    part.setTotal(19580L);
    part.setCurrency("CNY");
    wish.setAmount(part);
    wish.setTransactionId(trade.getTransactionId());
    wish.setOutRefundNo(no + "-1");
    wish.setNotifyUrl(told.get("notify_url"));
    Refund back = refunds.create(wish);
    step("refund by transaction_id", back.getFundsAccount() != null && back.getAmount().getSettlementRefund() == 4580, back);
    File[] notices = {};
    for (int tried = 0; notices.length < 2 && tried < 100; tried++) {
      Thread.sleep(100);
      notices = new File(told.get("notices")).listFiles((dir, name) -> name.endsWith(".json"));
    }
    QueryByOutRefundNoRequest found = new QueryByOutRefundNoRequest();
    found.setOutRefundNo(no + "-1");
    Refund ended = refunds.queryByOutRefundNo(found);
    step("query refund", "SUCCESS".equals(ended.getStatus().name()), ended);
    NotificationParser parser = new NotificationParser(new RSAPublicKeyNotificationConfig.Builder()
        .publicKey(told.get("platform_key")).publicKeyId(told.get("platform_id")).apiV3Key(told.get("apiv3_key")).build());
    for (File file : notices) {
      Sent sent = new Gson().fromJson(Files.readString(file.toPath()), Sent.class);
      for (boolean forged : new boolean[] {false, true}) {
        RequestParam param = new RequestParam.Builder().serialNumber(sent.header("Wechatpay-Serial"))
            .nonce(sent.header("Wechatpay-Nonce")).signature(sent.header("Wechatpay-Signature"))
            .timestamp(sent.header("Wechatpay-Timestamp")).body(forged ? sent.body + " " : sent.body).build();
        boolean believed;
        try {
          believed = no.equals(parser.parse(param, Map.class).get("out_trade_no"));
        } catch (RuntimeException why) {
          believed = false;
        }
        step(forged ? "a forged notice is not believed" : "notice", believed != forged, sent.body);
      }
    }
    step("both notices came", notices.length >= 2, notices.length);
    System.exit(0);
  }
}
