package main

// Orders and returns through Temporal, as docs/contract has them. Amounts are integers in fen.

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// Placed is the answer of a start; more stands in docs/contract/placed.schema.json.
type Placed struct {
	OrderNo string `json:"order_no"`
	Pay     *struct {
		CodeURL *string `json:"code_url"`
	} `json:"pay"`
}

// OrderView is of docs/contract/order-view.schema.json.
type OrderView struct {
	OrderNo       string `json:"order_no"`
	Status        string `json:"status"`
	PaymentStatus string `json:"payment_status"`
	RefundedMinor int64  `json:"refunded_minor"`
	Children      []struct {
		ChildNo   string  `json:"child_no"`
		Status    string  `json:"status"`
		WaybillNo *string `json:"waybill_no"`
	} `json:"children"`
}

// CaseState is of docs/contract/case-state.schema.json.
type CaseState struct {
	ReturnNo      string `json:"return_no"`
	Status        string `json:"status"`
	RefundedMinor int64  `json:"refunded_minor"`
}

// Refused: the order, return or command was refused, and nothing has moved. Type: of the contract's tables.
type Refused struct{ Type, Message string }

func (r *Refused) Error() string { return r.Type + ": " + r.Message }

// Settings say where Temporal is, and with what its payloads are encrypted.
type Settings struct{ Address, Namespace, PayloadKeys, PayloadKey string }

// Orders speaks as one service.
type Orders struct {
	client  client.Client
	service *Service
}

// Connect dials Temporal.
func Connect(settings Settings, service *Service) (*Orders, error) {
	codec, err := NewEncryption(settings.PayloadKeys, settings.PayloadKey)
	if err != nil {
		return nil, err
	}
	made, err := client.Dial(client.Options{
		HostPort: settings.Address, Namespace: settings.Namespace,
		DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec),
	})
	return &Orders{client: made, service: service}, err
}

// Close ends the connection.
func (o *Orders) Close() { o.client.Close() }

// Start starts the order and waits until it is in the books. Sent again after no answer, it is created once.
func (o *Orders) Start(ctx context.Context, order Message) (Placed, error) {
	buyer, _ := order["buyer"].(map[string]any)
	id := fmt.Sprintf("order/%v", order["order_no"])
	var placed Placed
	err := o.begin(ctx, "Order", "place", order, Bound{id, "order.start", fmt.Sprint(buyer["buyer_id"])}, &placed)
	return placed, err
}

// ApplyForReturn applies for a return of the order; it is refused with all reasons.
func (o *Orders) ApplyForReturn(ctx context.Context, application Message) (Message, error) {
	actor, _ := application["actor"].(map[string]any)
	id := fmt.Sprintf("return/%v", application["return_no"])
	applied := Message{}
	err := o.begin(ctx, "Return", "apply", application, Bound{id, "return.apply", fmt.Sprint(actor["id"])}, &applied)
	return applied, err
}

// ConfirmReceipt says that the buyer has the goods.
func (o *Orders) ConfirmReceipt(ctx context.Context, orderNo, buyer string) error {
	id := "order/" + orderNo
	message, err := o.service.Proven(Message{"by": buyer}, Bound{id, "order.confirm_receipt", buyer})
	if err != nil {
		return err
	}
	handle, err := o.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: "confirm_receipt", Args: []any{message},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return refusal(err)
	}
	return refusal(handle.Get(ctx, nil))
}

// Order looks at the order.
func (o *Orders) Order(ctx context.Context, orderNo string) (OrderView, error) {
	var seen OrderView
	return seen, o.view(ctx, "order/"+orderNo, &seen)
}

// Return looks at the case.
func (o *Orders) Return(ctx context.Context, returnNo string) (CaseState, error) {
	var seen CaseState
	return seen, o.view(ctx, "return/"+returnNo, &seen)
}

func (o *Orders) view(ctx context.Context, workflowID string, seen any) error {
	answer, err := o.client.QueryWorkflow(ctx, workflowID, "", "view")
	if err != nil {
		return err
	}
	return answer.Get(seen)
}

func (o *Orders) begin(ctx context.Context, kind, update string, message Message, bound Bound, answer any) error {
	proven, err := o.service.Proven(message, bound)
	if err != nil {
		return err
	}
	start := o.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: bound.WorkflowID, TaskQueue: "oms",
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	}, kind, proven)
	handle, err := o.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			WorkflowID: bound.WorkflowID, UpdateName: update, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return refusal(err)
	}
	return refusal(handle.Get(ctx, answer))
}

func refusal(err error) error {
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) {
		return &Refused{refused.Type(), refused.Message()}
	}
	return err
}
