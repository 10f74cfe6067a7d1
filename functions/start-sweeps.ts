import { app as functions } from "@azure/functions";
import { inForce } from "../shared/pipeline/deployment.ts";
import { keepJobs } from "../shared/pipeline/keep-jobs.ts";
import { startSweeps } from "../shared/pipeline/start-sweeps.ts";
import { app } from "../shared/wire.ts";

const receiver = app();

functions.timer("start-sweeps", {
  schedule: "%SWEEP_SCHEDULE%",
  handler: async (_timer, context) => {
    await receiver.world.ready();
    const { world } = await inForce(receiver);
    const log = receiver.log(context);
    await keepJobs(world, log);
    await startSweeps(world, log);
  },
});
