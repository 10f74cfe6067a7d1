import { app as functions } from "@azure/functions";
import { inForce } from "../shared/pipeline/deployment.ts";
import { keepSubscriptions } from "../shared/pipeline/keep-subscriptions.ts";
import { app } from "../shared/wire.ts";

const receiver = app();

functions.timer("keep-subscriptions", {
  schedule: "%SUBSCRIPTION_SCHEDULE%",
  handler: async (_timer, context) => {
    await receiver.world.ready();
    const { world } = await inForce(receiver);
    await keepSubscriptions(world, receiver.log(context));
  },
});
