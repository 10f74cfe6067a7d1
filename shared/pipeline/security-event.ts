import type { DecisionLog, LogFields } from "../ports/decision-log.ts";
import type { World } from "./world.ts";

/** What should never come, and was refused. One name in the log for all of them, so that one alert finds them. */
export function securityEvent(log: DecisionLog, what: "foreignTenant" | "foreignLink", fields: LogFields): void {
  log.error("security event", { what, ...fields });
}

/** Messages and rows may only be about tenants of the configuration: no call is made for any other. */
export const isOurs = (world: World, tenantId: string): boolean =>
  world.rules.tenants.some(({ id }) => id === tenantId);
