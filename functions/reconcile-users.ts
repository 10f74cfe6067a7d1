import { app as functions, type InvocationContext } from "@azure/functions";
import { receiveHint } from "../shared/pipeline/receive.ts";
import { app } from "../shared/wire.ts";

const receiver = app();

async function reconcile(message: unknown, context: InvocationContext): Promise<void> {
  await receiveHint(receiver, message, Number(context.triggerMetadata?.deliveryCount ?? 1), receiver.log(context));
}

// One message a call: each is renewed and settled on its own; the Graph adapter gathers concurrent calls into batches.
functions.serviceBusQueue("reconcile-changes", {
  connection: "SERVICE_BUS",
  queueName: "changes",
  cardinality: "one",
  handler: reconcile,
});
functions.serviceBusQueue("reconcile-sweep", {
  connection: "SERVICE_BUS",
  queueName: "sweep",
  cardinality: "one",
  handler: reconcile,
});
