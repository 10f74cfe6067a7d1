import { ODataError, unknownSegment } from "./odata.ts";
import type { Route } from "./runtime.ts";

interface Node {
  literal: Map<string, Node>;
  parameter: Node | undefined;
  routes: Map<string, Route>;
}

const node = (): Node => ({ literal: new Map(), parameter: undefined, routes: new Map() });

/** Finds the route of a path; literal segments, which ignore case, win over parameters. */
export class Router {
  private readonly root = node();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      let at = this.root;
      for (const segment of route.path.split("/").filter(Boolean)) {
        if (segment.startsWith("{")) {
          at.parameter ??= node();
          at = at.parameter;
        } else {
          const key = segment.toLowerCase();
          const next = at.literal.get(key) ?? node();
          at.literal.set(key, next);
          at = next;
        }
      }
      at.routes.set(route.method, route);
    }
  }

  /** Throws what Graph answers to paths and methods that it does not know. */
  match(method: string, segments: readonly string[]): { route: Route; parameters: string[] } {
    const parts = segments.flatMap(unfold);
    if (parts[0]?.toLowerCase() === "me") {
      throw new ODataError(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
    }
    const parameters: string[] = [];
    let at = this.root;
    for (const [index, segment] of parts.entries()) {
      const literal = at.literal.get(segment.toLowerCase());
      // `/users/{id}` whose id looks like a word of the path is not possible: ids are GUIDs or names with an @.
      if (literal) at = literal;
      else if (at.parameter && !(index > 0 && segment.startsWith("$"))) {
        parameters.push(segment);
        at = at.parameter;
      } else throw unknownSegment(segment);
    }
    const route = at.routes.get(method);
    if (route) return { route, parameters };
    if (at.routes.size === 0) throw unknownSegment(parts[parts.length - 1] ?? "");
    throw new ODataError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
  }
}

/** `users('id')` is `users/id`; `delta()` and `microsoft.graph.delta` are `delta`; `applications(appId='x')` keeps its key. */
function unfold(segment: string): string[] {
  const plain = segment.replace(
    /^microsoft\.graph\.(delta|getByIds|restore|checkMemberGroups|checkMemberObjects|getMemberGroups|getMemberObjects|reauthorize|getAvailableExtensionProperties)\b/,
    "$1",
  );
  const open = plain.indexOf("(");
  if (open < 0 || !plain.endsWith(")")) return [plain];
  const name = plain.slice(0, open);
  const inside = plain.slice(open + 1, -1);
  if (inside === "") return [name];
  const key = /^(\w+)='(.*)'$/.exec(inside);
  if (key) return [name, `${key[1]}=${key[2]}`];
  return [name, inside.replace(/^'|'$/g, "").replaceAll("''", "'")];
}
