import { Connection, type GraphSettings } from "./connection.ts";
import { GraphExtensions } from "./extensions.ts";
import { Gateway } from "./gateway.ts";
import { GraphInboundPolicy } from "./inbound-policy.ts";
import { GraphSourceChanges } from "./source-changes.ts";
import { GraphSourceListing } from "./source-listing.ts";
import { GraphSourceTenant } from "./source-tenant.ts";
import { GraphSubscriptions } from "./subscriptions.ts";
import { GraphTargetListing } from "./target-listing.ts";
import { GraphTargetTenant } from "./target-tenant.ts";

export interface GraphTenantOptions extends GraphSettings {
  /** The attribute of its users that holds the stamp. */
  stampAttribute: string;
  /** Client id of the registration that may own extensions. */
  registration: string | undefined;
  /** Asks for a new token; throws what the login says. */
  probe: () => Promise<void>;
}

/** Everything that the app asks of one tenant, through one gateway. */
export function graphTenant({ stampAttribute, registration, probe, ...settings }: GraphTenantOptions) {
  const gateway = new Gateway(new Connection(settings));
  return {
    source: new GraphSourceTenant(gateway, settings.clock.now),
    target: new GraphTargetTenant(gateway, settings.root, stampAttribute),
    changes: new GraphSourceChanges(gateway),
    subscriptions: new GraphSubscriptions(gateway),
    extensions: new GraphExtensions(gateway, registration),
    sourceListing: new GraphSourceListing(gateway),
    targetListing: new GraphTargetListing(gateway, stampAttribute),
    inbound: new GraphInboundPolicy(gateway, probe),
  };
}
