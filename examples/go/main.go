// An order's whole life from a backend in Go: started, paid, moved, delivered, returned and refunded.
//
// The backend's part goes through Temporal (docs/contract); the buyer's wallet, the couriers and our own people's part
// through `oms`, as docs/sandbox.md and docs/returns.md tell it. Needs a local stack: `make up`, then
//
//	set -a; . .local/stack.env; set +a; go run -C examples/go . "$PWD"
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const patience = 300 * time.Second

// A grey dot.
const aPicture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

// root: the checkout.
var root = "../.."

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func setting(name string) string {
	value := os.Getenv(name)
	if value == "" {
		log.Fatalf("%s is not set: start the stack with `make up`, then `. .local/stack.env`", name)
	}
	return value
}

func oms(words ...string) []byte {
	command := exec.Command(filepath.Join(root, ".venv/bin/oms"), words...)
	command.Dir, command.Stderr = root, os.Stderr
	return must(command.Output())
}

func read(text []byte, into any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	must(0, decoder.Decode(into))
}

func until[T any](what string, look func() (T, error), isSo func(T) bool) T {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(time.Second) {
		if seen := must(look()); isSo(seen) {
			return seen
		}
	}
	log.Fatalf("%s did not come within %s", what, patience)
	panic("not here")
}

func anOrder(number string) Message {
	order := Message{}
	read(must(os.ReadFile(filepath.Join(root, "examples/order.json"))), &order)
	order["order_no"], order["channel_order_no"] = number, "C-"+number
	order["placed_at"] = time.Now().UTC().Format(time.RFC3339)
	return order
}

func story(ctx context.Context, orders *Orders) {
	number := fmt.Sprintf("SO%d", time.Now().UnixMilli())
	order := anOrder(number)
	buyer := order["buyer"].(map[string]any)["buyer_id"].(string)
	lines := order["lines"].([]any)
	for _, one := range lines {
		line := one.(map[string]any)
		sku, warehouse := line["sku"].(string), line["tags"].(map[string]any)["warehouse"].(string)
		oms("stock", "receive", sku, warehouse, "10", "--ref", "GR-"+number+"-"+sku, "--by", "demo-warehouse")
	}
	placed := must(orders.Start(ctx, order))
	fmt.Println("started:", placed.OrderNo)

	look := func() (OrderView, error) { return orders.Order(ctx, number) }
	oms("sandbox", "pay", number)
	until("the parcels", look, func(o OrderView) bool { return o.PaymentStatus == "PAID" && len(o.Children) > 0 })
	fmt.Println("paid")
	until("shipping", look, func(o OrderView) bool {
		for _, child := range o.Children {
			if child.WaybillNo == nil {
				return false
			}
		}
		return true
	})
	oms("sandbox", "move", number, "--to-end")
	until("delivery", look, func(o OrderView) bool { return o.Status == "DELIVERED" })
	fmt.Println("delivered")

	returnNo := fmt.Sprintf("RT%d", time.Now().UnixMilli())
	picture := filepath.Join(must(os.MkdirTemp("", "oms-")), "photo.png")
	must(0, os.WriteFile(picture, must(base64.StdEncoding.DecodeString(aPicture)), 0o600))
	var added []struct {
		EvidenceID string `json:"evidence_id"`
	}
	read(oms("return", "evidence", "add", returnNo, picture, "--order", number, "--by", buyer, "--json"), &added)
	must(orders.ApplyForReturn(ctx, Message{
		"return_no": returnNo, "order_no": number, "type": "return_refund", "channel": "app",
		"actor":  map[string]any{"kind": "buyer", "id": buyer},
		"lines":  map[string]any{lines[0].(map[string]any)["line_id"].(string): int64(1)},
		"reason": "no_reason", "fault": "none", "evidence": []any{added[0].EvidenceID},
	}))
	fmt.Println("applied:", returnNo)
	agreed(ctx, orders, returnNo, func(c CaseState) bool { return !strings.HasSuffix(c.Status, "REVIEW") })
	var slip struct{ Code string }
	read(oms("return", "slip", returnNo, "--json"), &slip)
	oms("return", "receive", slip.Code, "--by", "demo-warehouse")
	oms("return", "inspect", slip.Code, "--good", "1", "--by", "demo-warehouse")
	ended := agreed(ctx, orders, returnNo, func(c CaseState) bool { return c.Status == "REFUNDED" })
	if told := inTheBooks(number); told != ended.RefundedMinor {
		log.Fatalf("%s pays %d, and the books have %d of %s", returnNo, ended.RefundedMinor, told, number)
	}
	fmt.Println("refunded:", ended.RefundedMinor, "fen")
}

// inTheBooks: what went back of an order in all. The order's own view tells what the order itself gave back.
func inTheBooks(number string) int64 {
	var shown struct {
		Detail struct {
			Order struct {
				RefundedMinor int64 `json:"refunded_minor"`
			} `json:"order"`
		} `json:"detail"`
	}
	read(oms("order", "show", number, "--json"), &shown)
	return shown.Detail.Order.RefundedMinor
}

// agreed: whoever has to agree does, until it is so.
func agreed(ctx context.Context, orders *Orders, returnNo string, isSo func(CaseState) bool) CaseState {
	done := map[string]bool{}
	return until("what "+returnNo+" waits for", func() (CaseState, error) {
		for _, person := range []string{"demo-lead", "demo-finance"} {
			var waiting []struct {
				Request struct {
					ApprovalID string `json:"approval_id"`
					Subject    string `json:"subject"`
				} `json:"request"`
			}
			read(oms("approve", "list", "--mine", person, "--json"), &waiting)
			for _, one := range waiting {
				id := one.Request.ApprovalID
				if one.Request.Subject != returnNo || done[id+" "+person] {
					continue
				}
				oms("approve", "approve", id, "--as", person, "--remark", "agreed")
				done[id+" "+person] = true
			}
		}
		return orders.Return(ctx, returnNo)
	}, isSo)
}

func main() {
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	key := strings.ReplaceAll(setting("OMS_SERVICE_PRIVATE_KEY"), `\n`, "\n")
	service := must(NewService(setting("OMS_SERVICE_NAME"), key))
	orders := must(Connect(Settings{
		Address: setting("TEMPORAL_ADDRESS"), Namespace: setting("TEMPORAL_NAMESPACE"),
		PayloadKeys: setting("OMS_PAYLOAD_KEYS"), PayloadKey: setting("OMS_PAYLOAD_OWN"),
	}, service))
	defer orders.Close()
	story(context.Background(), orders)
}
