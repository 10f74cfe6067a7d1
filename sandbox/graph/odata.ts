/** OData as Graph speaks it: errors, queries, replies. Source: Graph `concepts/errors.md`, `query-parameters.md`. */

/** What a handler answers. `body` becomes JSON, `text` goes out as it is, neither means no body. */
export interface Reply {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
  text?: string;
}

export interface ErrorDetail {
  code: string;
  message: string;
  target?: string;
}

/** An answer in Graph's error envelope. */
export class ODataError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: readonly ErrorDetail[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: readonly ErrorDetail[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = more.details;
    this.headers = more.headers;
  }
}

export const badRequest = (message: string, details?: readonly ErrorDetail[]) =>
  new ODataError(400, "Request_BadRequest", message, details ? { details } : {});

export const invalidValue = (property: string, message: string) =>
  badRequest(message, [{ code: "InvalidValue", message, target: property }]);

export const unsupportedQuery = (message: string) => new ODataError(400, "Request_UnsupportedQuery", message);

export const notFound = (id: string) =>
  new ODataError(
    404,
    "Request_ResourceNotFound",
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );

export const conflict = (property: string) => {
  const message = `Another object with the same value for property ${property} already exists.`;
  return badRequest(message, [{ code: "ObjectConflict", message, target: property }]);
};

export const denied = () =>
  new ODataError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");

export const unknownSegment = (segment: string) =>
  new ODataError(400, "BadRequest", `Resource not found for the segment '${segment}'.`);

/** The body of an error answer; `date` without a zone, as Graph writes it. */
export function errorBody(error: ODataError, nowMs: number, requestId: string, clientRequestId: string): unknown {
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(error.details ? { details: error.details } : {}),
      innerError: {
        date: new Date(nowMs).toISOString().slice(0, 19),
        "request-id": requestId,
        "client-request-id": clientRequestId,
      },
    },
  };
}

export type Query = ReadonlyMap<string, string>;

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.includes("+") ? text.replaceAll("+", " ") : text);
  } catch {
    throw new ODataError(400, "BadRequest", "The request URI is not valid.");
  }
};

const NO_QUERY: Query = new Map();

/** Path segments (decoded) and query options of `/v1.0/users/x?$select=id`. */
export function parseUrl(url: string): { segments: string[]; query: Query } {
  const hash = url.indexOf("#");
  const whole = hash < 0 ? url : url.slice(0, hash);
  const mark = whole.indexOf("?");
  const path = mark < 0 ? whole : whole.slice(0, mark);
  const segments: string[] = [];
  for (const part of path.split("/")) if (part !== "") segments.push(part.includes("%") ? decode(part) : part);
  if (mark < 0 || mark === whole.length - 1) return { segments, query: NO_QUERY };
  const query = new Map<string, string>();
  for (const pair of whole.slice(mark + 1).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    query.set(
      name.toLowerCase().startsWith("$") ? name.toLowerCase() : name,
      equals < 0 ? "" : decode(pair.slice(equals + 1)),
    );
  }
  return { segments, query };
}

/** Refuses query options that a resource does not know. */
export function allowQuery(query: Query, allowed: readonly string[]): void {
  for (const name of query.keys()) {
    if (name.startsWith("$") && !allowed.includes(name)) {
      throw badRequest(`The query option '${name}' is not supported for this resource.`);
    }
  }
}

/** `$top`: 1 to 999. */
export function pageSize(query: Query, standard: number, most = 999): number {
  const text = query.get("$top");
  if (text === undefined) return standard;
  const top = Number(text);
  if (!Number.isInteger(top) || top < 0)
    throw new ODataError(400, "BadRequest", `Invalid value '${text}' for $top query option found.`);
  if (top < 1 || top > most)
    throw badRequest(`Invalid page size specified: '${text}'. Must be between 1 and ${most} inclusive.`);
  return top;
}

/** Options of a link, encoded as Graph does: `$` and `,` stay readable. */
export function queryString(options: Iterable<readonly [string, string]>): string {
  const parts: string[] = [];
  for (const [name, value] of options) {
    parts.push(`${name}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%24", "$")}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

/** Opaque tokens of links. */
export const seal = (content: unknown): string => Buffer.from(JSON.stringify(content)).toString("base64url");

export function unseal(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw badRequest("Badly formed token.");
  }
}

export const isGuid = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `2026-01-05T08:00:00Z`. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
