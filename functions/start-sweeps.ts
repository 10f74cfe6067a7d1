import { app as functions } from "@azure/functions";
import { startSweeps } from "../shared/pipeline/start-sweeps.ts";
import { app } from "../shared/wire.ts";

const { world, log } = app();

functions.timer("start-sweeps", {
  schedule: "%SWEEP_SCHEDULE%",
  handler: async (_timer, context) => {
    await world.ready();
    await startSweeps(world, log(context));
  },
});
