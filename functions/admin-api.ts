import { app as functions } from "@azure/functions";
import { readUpTo } from "../shared/pipeline/bounded-body.ts";
import { app } from "../shared/wire.ts";

/** More than any command takes: what is longer is refused by it. */
const BODY_BYTES_MAX = 131_072;

const { admin, log } = app();

functions.http("admin-api", {
  methods: ["GET", "POST"],
  authLevel: "anonymous", // the Entra token decides
  route: "manage/{*path}", // the host keeps `admin` for itself
  handler: (request, context) => {
    const { method, query, headers, params } = request;
    const path = (params.path ?? "").replace(/\/+$/, "");
    const text = async () => new TextDecoder().decode(await readUpTo(request.body, BODY_BYTES_MAX));
    return admin.answer({ method, path, query, headers, text }, log(context));
  },
});
