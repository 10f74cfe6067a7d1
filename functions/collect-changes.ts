import { app as functions } from "@azure/functions";
import { receivePageMessage } from "../shared/pipeline/receive.ts";
import { app } from "../shared/wire.ts";

const receiver = app();

functions.serviceBusQueue("collect-changes", {
  connection: "SERVICE_BUS",
  queueName: "pages",
  cardinality: "one",
  handler: async (message, context) => {
    await receivePageMessage(receiver, message, receiver.log(context));
  },
});
