import { app as functions, type InvocationContext } from "@azure/functions";
import { deadLetterQueue, QUEUES, type QueueName } from "../shared/messages/queues.ts";
import { inForce } from "../shared/pipeline/deployment.ts";
import { recordDeadLetter } from "../shared/pipeline/record-dead-letter.ts";
import { app } from "../shared/wire.ts";

const receiver = app();

for (const queue of Object.keys(QUEUES) as QueueName[]) {
  functions.serviceBusQueue(`record-dead-letter-${queue}`, {
    connection: "SERVICE_BUS",
    queueName: deadLetterQueue(queue),
    cardinality: "one",
    handler: async (message: unknown, context: InvocationContext) => {
      await receiver.world.ready();
      const { world } = await inForce(receiver);
      const properties = context.triggerMetadata?.applicationProperties as Record<string, unknown> | undefined;
      const reason = String(context.triggerMetadata?.deadLetterReason ?? properties?.deadLetterReason ?? "unknown");
      await recordDeadLetter(world, queue, message, reason, receiver.log(context));
    },
  });
}
