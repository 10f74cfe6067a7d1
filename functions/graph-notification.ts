import { app as functions } from "@azure/functions";
import { notificationAnswer } from "../shared/pipeline/notification-answer.ts";
import { app } from "../shared/wire.ts";

const { notifications, world, log } = app();

functions.http("graph-notification", {
  methods: ["POST"],
  authLevel: "anonymous", // Graph brings no key: the secret in the path lets it speak
  route: "graph-notification/{tenantId}/{secret}",
  handler: async (request, context) => {
    await world.ready();
    return notificationAnswer(notifications, request, log(context));
  },
});
