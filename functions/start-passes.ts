import { app as functions } from "@azure/functions";
import { inForce } from "../shared/pipeline/deployment.ts";
import { startPasses } from "../shared/pipeline/start-passes.ts";
import { app } from "../shared/wire.ts";

const receiver = app();

functions.timer("start-passes", {
  schedule: "%PASS_SCHEDULE%",
  handler: async (_timer, context) => {
    await receiver.world.ready();
    const { world } = await inForce(receiver);
    await startPasses(world, receiver.log(context));
  },
});
