import { app as functions } from "@azure/functions";
import { inForce } from "../shared/pipeline/deployment.ts";
import { keepExtensions } from "../shared/pipeline/keep-extensions.ts";
import { keepSubscriptions } from "../shared/pipeline/keep-subscriptions.ts";
import { tellWarnings } from "../shared/pipeline/tell-warnings.ts";
import { app } from "../shared/wire.ts";

const receiver = app();

functions.timer("keep-subscriptions", {
  schedule: "%SUBSCRIPTION_SCHEDULE%",
  handler: async (_timer, context) => {
    await receiver.world.ready();
    const { world } = await inForce(receiver);
    const log = receiver.log(context);
    tellWarnings(world, log);
    await keepSubscriptions(world, log);
    await keepExtensions(world, log);
  },
});
