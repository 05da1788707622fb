/** Orders and returns through Temporal, as docs/contract has them. Amounts are integers in fen. */
import { Client, Connection, WithStartWorkflowOperation, WorkflowUpdateFailedError } from "@temporalio/client";
import { ApplicationFailure, type Workflow } from "@temporalio/common";
import { Encryption } from "./encryption.js";
import type { Message, Service } from "./proof.js";

export interface Placed {
  order_no: string;
  pay?: { code_url?: string | null } | null;
  [more: string]: unknown;
}

export interface OrderView {
  order_no: string;
  status: string;
  payment_status: string;
  refunded_minor: number;
  children: { child_no: string; status: string; waybill_no?: string | null }[];
  [more: string]: unknown;
}

export interface CaseState {
  return_no: string;
  status: string;
  refunded_minor: number;
  [more: string]: unknown;
}

/** The order, return or command was refused; nothing has moved. `type`: of the contract's tables. */
export class Refused extends Error {
  constructor(readonly type: string, message: string, readonly details: unknown[]) {
    super(`${type}: ${message}`);
  }
}

export interface Settings {
  address: string;
  namespace: string;
  payloadKeys: string;
  payloadKey: string;
}

export class Orders {
  private constructor(readonly connection: Connection, readonly client: Client, readonly service: Service) {}

  static async connect(settings: Settings, service: Service): Promise<Orders> {
    const connection = await Connection.connect({ address: settings.address });
    const codec = new Encryption(settings.payloadKeys, settings.payloadKey);
    const client = new Client({ connection, namespace: settings.namespace, dataConverter: { payloadCodecs: [codec] } });
    return new Orders(connection, client, service);
  }

  /** Starts the order and waits until it is in the books. Sent again after no answer, it is created once. */
  async start(order: Message & { order_no: string; buyer: { buyer_id: string } }): Promise<Placed> {
    const bound = { command: "order.start", onBehalfOf: order.buyer.buyer_id };
    return this.#begin("Order", "place", `order/${order.order_no}`, order, bound);
  }

  /** Applies for a return of the order; refused with all reasons. */
  async applyForReturn(application: Message & { return_no: string; actor: Message & { id: string } }): Promise<Message> {
    const bound = { command: "return.apply", onBehalfOf: application.actor.id };
    return this.#begin("Return", "apply", `return/${application.return_no}`, application, bound);
  }

  async confirmReceipt(orderNo: string, buyer: string): Promise<void> {
    const workflowId = `order/${orderNo}`;
    const bound = { workflowId, command: "order.confirm_receipt", onBehalfOf: buyer };
    const message = this.service.proven({ by: buyer }, bound);
    await refusals(() => this.client.workflow.getHandle(workflowId).executeUpdate("confirm_receipt", { args: [message] }));
  }

  async order(orderNo: string): Promise<OrderView> {
    return this.client.workflow.getHandle(`order/${orderNo}`).query<OrderView>("view");
  }

  async return(returnNo: string): Promise<CaseState> {
    return this.client.workflow.getHandle(`return/${returnNo}`).query<CaseState>("view");
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  async #begin<T>(
    type: string, update: string, workflowId: string, message: Message, bound: { command: string; onBehalfOf: string },
  ): Promise<T> {
    const proven = this.service.proven(message, { workflowId, ...bound });
    const start = new WithStartWorkflowOperation(type, {
      workflowId, taskQueue: "oms", args: [proven], workflowIdConflictPolicy: "FAIL",
      workflowIdReusePolicy: "REJECT_DUPLICATE",
    });
    return refusals(() =>
      this.client.workflow.executeUpdateWithStart<Workflow, T, []>(update, { startWorkflowOperation: start, args: [] }),
    );
  }
}

async function refusals<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      throw new Refused(error.cause.type ?? "", error.cause.message, error.cause.details ?? []);
    }
    throw error;
  }
}
