// wechatpay-go, unchanged. Argument: the file with what the sandbox is.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

// elsewhere sends what is meant for the provider to the sandbox.
type elsewhere struct{ to *url.URL }

func (e elsewhere) RoundTrip(request *http.Request) (*http.Response, error) {
	request.URL.Scheme, request.URL.Host = e.to.Scheme, e.to.Host
	return http.DefaultTransport.RoundTrip(request)
}

func step(name string, fits bool, answer any) {
	if fits {
		fmt.Println("ok", name)
	} else {
		fmt.Printf("WRONG %s: %v\n", name, answer)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println("WRONG", err)
		os.Exit(1)
	}
	return value
}

func main() {
	told := map[string]string{}
	must(0, json.Unmarshal(must(os.ReadFile(os.Args[1])), &told))
	ctx, no := context.Background(), told["no"]
	key := must(utils.LoadPrivateKey(told["private_key"]))
	public := must(utils.LoadPublicKey(told["platform_key"]))
	client := must(core.NewClient(ctx,
		option.WithWechatPayPublicKeyAuthCipher(told["mchid"], told["serial"], key, told["platform_id"], public),
		option.WithHTTPClient(&http.Client{Transport: elsewhere{must(url.Parse(told["url"]))}, Timeout: 20 * time.Second}),
	))
	orders, refunds := native.NativeApiService{Client: client}, refunddomestic.RefundsApiService{Client: client}
	made, _, err := orders.Prepay(ctx, native.PrepayRequest{
		Appid: core.String(told["appid"]), Mchid: core.String(told["mchid"]), Description: core.String("two cups"),
		OutTradeNo: core.String(no), NotifyUrl: core.String(told["notify_url"]), Attach: core.String("from the app"),
		Amount: &native.Amount{Total: core.Int64(19580)},
	})
	step("create, without a currency", err == nil && made.CodeUrl != nil, err)
	must(http.Post(told["url"]+"/_pay", "application/json", bytes.NewBufferString(`{"out_trade_no":"`+no+`"}`)))
	byNo, _, err := orders.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{
		OutTradeNo: core.String(no), Mchid: core.String(told["mchid"])})
	step("query by out_trade_no", err == nil && *byNo.TradeState == "SUCCESS" && *byNo.Attach == "from the app", err)
	byId, _, err := orders.QueryOrderById(ctx, native.QueryOrderByIdRequest{
		TransactionId: byNo.TransactionId, Mchid: core.String(told["mchid"])})
	step("query by transaction_id", err == nil && *byId.OutTradeNo == no, err)
	back, _, err := refunds.Create(ctx, refunddomestic.CreateRequest{
		TransactionId: byNo.TransactionId, OutRefundNo: core.String(no + "-1"), NotifyUrl: core.String(told["notify_url"]),
		Amount: &refunddomestic.AmountReq{Refund: core.Int64(4580), Total: core.Int64(19580), Currency: core.String("CNY")},
	})
	step("refund by transaction_id", err == nil && *back.FundsAccount == "AVAILABLE" && *back.Amount.SettlementRefund == 4580, err)
	notices := []string{}
	for tried := 0; len(notices) < 2 && tried < 100; tried++ {
		time.Sleep(100 * time.Millisecond)
		notices = must(filepath.Glob(told["notices"] + "/*.json"))
	}
	found, _, err := refunds.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: core.String(no + "-1")})
	step("query refund", err == nil && *found.Status == "SUCCESS", err)
	handler := must(notify.NewRSANotifyHandler(told["apiv3_key"],
		verifiers.NewSHA256WithRSAPubkeyVerifier(told["platform_id"], *public)))
	for _, path := range notices {
		sent := struct {
			Headers map[string]string
			Body    string
		}{}
		must(0, json.Unmarshal(must(os.ReadFile(path)), &sent))
		read := func(body string) (*notify.Request, map[string]any, error) {
			request := must(http.NewRequest("POST", "http://shop/hook", bytes.NewBufferString(body)))
			for name, value := range sent.Headers {
				request.Header.Set(name, value)
			}
			content := map[string]any{}
			event, err := handler.ParseNotifyRequest(ctx, request, &content)
			return event, content, err
		}
		event, content, err := read(sent.Body)
		step("notice", err == nil && event.EventType != "" && content["out_trade_no"] == no, err)
		_, _, err = read(sent.Body + " ")
		step("a forged notice is not believed", err != nil, path)
	}
	step("both notices came", len(notices) >= 2, notices)
}
