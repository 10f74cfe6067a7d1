import { APPLICATION_ROUTES } from "./applications.ts";
import { CONTACT_ROUTES } from "./contacts.ts";
import { BIN_ROUTES } from "./deleted-items.ts";
import { DELTA_ROUTES } from "./delta.ts";
import { GROUP_WRITE_ROUTES } from "./group-writes.ts";
import { GROUP_ROUTES } from "./groups.ts";
import { INVITATION_ROUTES } from "./invitations.ts";
import { LICENCE_ROUTES } from "./licences.ts";
import { MANAGER_ROUTES } from "./managers.ts";
import { MEMBERSHIP_ROUTES } from "./memberships.ts";
import { POLICY_ROUTES } from "./policies.ts";
import { ROLE_ROUTES } from "./roles.ts";
import type { Route } from "./runtime.ts";
import { SIGN_IN_ROUTES } from "./sign-ins.ts";
import { SPONSOR_ROUTES } from "./sponsors.ts";
import { SUBSCRIPTION_ROUTES } from "./subscriptions.ts";
import { USER_ROUTES } from "./users.ts";

/** Every operation that the simulated tenants know, beside `$batch`. */
export const ROUTES: readonly Route[] = [
  ...USER_ROUTES,
  ...MANAGER_ROUTES,
  ...SPONSOR_ROUTES,
  ...GROUP_ROUTES,
  ...GROUP_WRITE_ROUTES,
  ...MEMBERSHIP_ROUTES,
  ...CONTACT_ROUTES,
  ...DELTA_ROUTES,
  ...INVITATION_ROUTES,
  ...BIN_ROUTES,
  ...SUBSCRIPTION_ROUTES,
  ...APPLICATION_ROUTES,
  ...POLICY_ROUTES,
  ...LICENCE_ROUTES,
  ...ROLE_ROUTES,
  ...SIGN_IN_ROUTES,
];
