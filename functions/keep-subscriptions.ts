import { app as functions } from "@azure/functions";
import { keepSubscriptions } from "../shared/pipeline/keep-subscriptions.ts";
import { app } from "../shared/wire.ts";

const { world, log } = app();

functions.timer("keep-subscriptions", {
  schedule: "%SUBSCRIPTION_SCHEDULE%",
  handler: async (_timer, context) => {
    await world.ready();
    await keepSubscriptions(world, log(context));
  },
});
