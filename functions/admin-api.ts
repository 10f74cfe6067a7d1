import { app as functions } from "@azure/functions";
import { app } from "../shared/wire.ts";

const { admin, log } = app();

functions.http("admin-api", {
  methods: ["GET", "POST"],
  authLevel: "anonymous", // the Entra token decides
  route: "manage/{*path}", // the host keeps `admin` for itself
  handler: (request, context) => {
    const { method, query, headers, params } = request;
    const path = (params.path ?? "").replace(/\/+$/, "");
    return admin.answer({ method, path, query, headers, text: () => request.text() }, log(context));
  },
});
