import { app as functions } from "@azure/functions";
import { notificationAnswer } from "../shared/pipeline/notification-answer.ts";
import { app } from "../shared/wire.ts";

const { notifications, world, log } = app();

functions.http("graph-lifecycle", {
  methods: ["POST"],
  authLevel: "anonymous", // as for notifications
  route: "graph-lifecycle/{tenantId}/{secret}",
  handler: async (request, context) => {
    await world.ready();
    return notificationAnswer(notifications, request, log(context));
  },
});
