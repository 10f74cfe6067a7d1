import { describe, expect, test } from "vitest";
import type { TruthUser } from "../../sandbox/graph/api.ts";
import { describeDifference, differences } from "../../sandbox/oracle.ts";
import { type SimulatedWorld, simulatedWorld } from "../../sandbox/world.ts";
import { watchWrites } from "../../sandbox/write-watch.ts";
import { SyncConfig } from "../../shared/config/schema.ts";
import type { Link } from "../../shared/domain/link.ts";
import type { LogRow } from "../../shared/pipeline/world.ts";
import { MINUTE, SETTINGS } from "./contoso.ts";
import { SOURCE, spec, TARGET } from "./two-tenants.ts";

const SOURCE_APP = "11111111-aaaa-4aaa-8aaa-111111111111";
const TARGET_APP = "22222222-bbbb-4bbb-8bbb-222222222222";
const EVIDENCE = ["AuditLog.Read.All", "RoleManagement.Read.Directory", "Group.Read.All"];

const HOME_ID = "aaaaaaaa-1111-4111-8111-111111111111";
const ELSEWHERE = "cccccccc-1111-4111-8111-111111111111";

type Target = ReturnType<SimulatedWorld["graph"]["truth"]>;

/** One guest of each kind, for a person of that name; who there is before anything runs. */
const KINDS: Record<string, (target: Target, guest: (more?: object) => string) => void> = {
  nobody: () => {},
  pending: (_target, guest) => void guest(),
  pendingBlocked: (_target, guest) => void guest({ accountEnabled: false }),
  seen: (target, guest) => {
    const id = guest();
    target.redeem(id);
    target.signIn(id);
  },
  unseen: (target, guest) => target.redeem(guest()),
  failed: (target, guest) => {
    const id = guest();
    target.redeem(id);
    target.signIn(id, { errorCode: 50105 });
  },
  elsewhere: (target, guest) => {
    const id = guest();
    target.redeem(id, { home: undefined });
    target.signIn(id, { homeTenantId: ELSEWHERE });
  },
  passcode: (target, guest) => target.redeem(guest(), { issuer: "mail" }),
  personal: (target, guest) => target.redeem(guest(), { issuer: "MicrosoftAccount" }),
  seenBlocked: (target, guest) => {
    const id = guest();
    target.redeem(id);
    target.signIn(id);
    target.updateUser(id, { accountEnabled: false });
  },
  admin: (target, guest) => {
    const id = guest();
    target.redeem(id);
    target.signIn(id);
    target.makeAdministrator(id);
  },
  assignable: (target, guest) => {
    const id = guest();
    target.redeem(id);
    target.signIn(id);
    target.createGroup({ displayName: "Role holders", roleAssignable: true, members: [id] });
  },
  deleted: (target, guest) => target.deleteUser(guest()),
  twice: (_target, guest) => {
    guest();
    guest({ userPrincipalName: "second#EXT#@hub.onmicrosoft.com", proxyAddresses: [] });
  },
  internal: (target) =>
    void target.createUser({ userPrincipalName: "i@hub.example", mail: "internal@home.example", userType: "Member" }),
};

interface Options {
  adopt?: "none" | "pending" | "redeemed";
  adoptBy?: "signIn" | "resetRedemption";
  state?: "on" | "observe";
  permissions?: readonly string[];
  mappings?: unknown;
  populate?: (source: Target, target: Target) => void;
}

function adoptionWorld({ permissions = EVIDENCE, populate, state = "on", ...options }: Options) {
  const tenants = [
    spec("home", HOME_ID, SOURCE_APP, SOURCE),
    spec("hub", "bbbbbbbb-1111-4111-8111-111111111111", TARGET_APP, [...TARGET, ...permissions]),
  ];
  const config = SyncConfig.parse({
    version: 1,
    deployment: "adoption",
    tenants: tenants.map(({ name, id, cloud, clients }) => ({
      name,
      id,
      cloud,
      credential: { kind: "certificate", clientId: clients[0]?.clientId, path: `${name}.pem` },
    })),
    jobs: [
      {
        id: "home-to-hub",
        source: "home",
        target: "hub",
        userType: "guest",
        scope: { allUsers: true },
        mappings: [{ target: "department", source: "department" }],
        state,
        ...options,
      },
    ],
  });
  const guests = new Map<string, string>();
  const world = simulatedWorld({
    seed: 7,
    tenants,
    config,
    knobs: { latencyMs: [5, 20], replicationLagMs: 0, indexLagMs: 0, notificationLost: 0 },
    settings: SETTINGS,
    populate: (graph) => {
      const [source, target] = [graph.truth("home"), graph.truth("hub")];
      if (populate) return populate(source, target);
      for (const [name, make] of Object.entries(KINDS)) {
        hire(source, name);
        make(target, (more = {}) => {
          const id = invitedBefore(target, `${name.toLowerCase()}@home.example`, more);
          guests.set(name, id);
          return id;
        });
      }
    },
  });
  const watch = watchWrites(world.graph, config);
  const idOf = (name: string) => world.graph.truth("home").userByName(`${name}@home.example`)?.id ?? "";
  const rows = () => world.store.dump("links");
  return {
    world,
    watch,
    config,
    guests,
    target: world.graph.truth("hub"),
    source: world.graph.truth("home"),
    link: (name: string) => rows().find(({ row }) => row === idOf(name))?.value as Link | undefined,
    log: (name: string) =>
      world.store
        .dump("provisioninglog")
        .map(({ value }) => value as LogRow)
        .filter(({ userId }) => userId === idOf(name)),
    /** Everybody's guests that are there: nobody has two beside those who had. */
    liveGuests: () => [...world.graph.truth("hub").users()].filter(({ deletedAt }) => deletedAt === undefined),
    differences: () => differences(world.graph, config, watch).map(describeDifference),
  };
}

const hire = (source: Target, name: string, more: object = {}): string =>
  source.createUser({
    userPrincipalName: `${name.toLowerCase()}@home.example`,
    mail: `${name.toLowerCase()}@home.example`,
    department: "Engines",
    ...more,
  });

const invitedBefore = (target: Target, address: string, more: object = {}): string =>
  target.createUser({
    userPrincipalName: `${address.replace("@", "_")}#EXT#@hub.onmicrosoft.com`,
    mail: address,
    otherMails: [address],
    creationType: "Invitation",
    externalUserState: "PendingAcceptance",
    userType: "Guest",
    department: "as it was",
    ...more,
  });

const EXPECTED: Record<string, [none: string, pending: string, redeemed: string, reset: string]> = {
  nobody: ["created", "created", "created", "created"],
  pending: ["GUEST_NOT_ADOPTED", "adopted", "adopted", "adopted"],
  pendingBlocked: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED"],
  seen: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "adopted", "adopted"],
  unseen: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_NOT_PROVEN", "adopted"],
  failed: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_NOT_PROVEN", "adopted"],
  elsewhere: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_BOUND_ELSEWHERE", "adopted"],
  passcode: ["GUEST_BOUND_ELSEWHERE", "GUEST_BOUND_ELSEWHERE", "GUEST_BOUND_ELSEWHERE", "GUEST_BOUND_ELSEWHERE"],
  personal: ["GUEST_BOUND_ELSEWHERE", "GUEST_BOUND_ELSEWHERE", "GUEST_BOUND_ELSEWHERE", "GUEST_BOUND_ELSEWHERE"],
  seenBlocked: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED"],
  admin: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_IS_PRIVILEGED", "GUEST_IS_PRIVILEGED"],
  assignable: ["GUEST_NOT_ADOPTED", "GUEST_NOT_ADOPTED", "GUEST_IS_PRIVILEGED", "GUEST_IS_PRIVILEGED"],
  deleted: ["created", "created", "created", "created"],
  twice: ["AMBIGUOUS_MATCH", "AMBIGUOUS_MATCH", "AMBIGUOUS_MATCH", "AMBIGUOUS_MATCH"],
  internal: [
    "INTERNAL_USER_HAS_ADDRESS",
    "INTERNAL_USER_HAS_ADDRESS",
    "INTERNAL_USER_HAS_ADDRESS",
    "INTERNAL_USER_HAS_ADDRESS",
  ],
};
const RULES: [name: string, options: Options, column: 0 | 1 | 2 | 3][] = [
  ["none", { adopt: "none" }, 0],
  ["pending", { adopt: "pending" }, 1],
  ["redeemed by a sign-in", { adopt: "redeemed" }, 2],
  ["redeemed by resetRedemption", { adopt: "redeemed", adoptBy: "resetRedemption" }, 3],
];

describe("guests of all kinds are there before", () => {
  test.each(RULES)("%s", async (_name, options, column) => {
    const c = adoptionWorld(options);
    const untouched = new Map([...c.guests.values()].map((id) => [id, JSON.stringify(c.target.user(id))]));
    await c.world.clock.runFor(3 * MINUTE);
    const found = Object.keys(KINDS).map((name) => {
      const link = c.link(name);
      const adopted = link?.targetId !== undefined && link.targetId === c.guests.get(name);
      return [name, link?.state === "linked" ? (adopted ? "adopted" : "created") : link?.because];
    });
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(EXPECTED).map(([name, verdicts]) => [name, verdicts[column]])),
    );
    for (const [name, id] of c.guests) {
      const { department } = c.target.user(id)?.properties ?? {};
      if (c.link(name)?.targetId === id) expect([name, department]).toEqual([name, "Engines"]);
      else expect([name, JSON.stringify(c.target.user(id))]).toEqual([name, untouched.get(id)]);
    }
    expect(c.watch.foreignWrites).toEqual([]);
    expect(c.differences()).toEqual([]);
    c.world.close();
  });

  test("the log says on which ground somebody was taken over, and of whom is held what Entra calls it", async () => {
    const c = adoptionWorld({ adopt: "redeemed" });
    await c.world.clock.runFor(3 * MINUTE);
    expect(c.log("seen")).toMatchObject([
      { status: "success", because: expect.stringMatching(/^adopted: .*signed in/) },
    ]);
    expect(c.log("pending")).toMatchObject([{ because: expect.stringMatching(/^adopted: an un-redeemed guest/) }]);
    expect(c.log("twice")).toMatchObject([{ code: "AMBIGUOUS_MATCH", skipReason: "DuplicateTargetEntries" }]);
    expect(c.log("unseen")).toMatchObject([
      { code: "GUEST_NOT_PROVEN", detail: expect.stringMatching(/sign-in/), remedy: expect.stringMatching(/sign in/) },
    ]);
    c.world.close();
  });

  test("a job that observes says whom it would take over and why, and writes nothing", async () => {
    const c = adoptionWorld({ adopt: "redeemed", state: "observe" });
    const before = JSON.stringify([...c.target.users()]);
    await c.world.clock.runFor(2 * MINUTE);
    expect(c.log("seen")).toMatchObject([
      {
        because: "observed:adopt",
        targetId: c.guests.get("seen"),
        detail: expect.stringMatching(/^would adopt: .*signed in/),
      },
    ]);
    expect(JSON.stringify([...c.target.users()])).toBe(before);
    c.world.close();
  });

  test("what the app may not read holds everybody whom it would prove, and nobody else", async () => {
    const c = adoptionWorld({ adopt: "redeemed", permissions: [] });
    await c.world.clock.runFor(3 * MINUTE);
    expect(c.log("seen")).toMatchObject([
      { code: "EVIDENCE_UNREADABLE", detail: "RoleManagement.Read.Directory in the target", status: "skipped" },
    ]);
    expect(c.link("nobody")).toMatchObject({ state: "linked" });
    expect(c.link("pending")).toMatchObject({ state: "linked" });
    c.world.close();
  });

  test("no evidence is read where nobody redeemed is in the way", async () => {
    const c = adoptionWorld({
      adopt: "redeemed",
      populate: (source, target) => {
        for (const name of ["one", "two", "three"]) hire(source, name);
        invitedBefore(target, "two@home.example");
      },
    });
    await c.world.clock.runFor(2 * MINUTE);
    const calls = Object.keys({
      ...c.world.graph.statistics().hub?.byOperation,
      ...c.world.graph.statistics().home?.byOperation,
    });
    expect(calls.filter((call) => /signIns|roleAssignments|transitiveMemberOf|organization/.test(call))).toEqual([]);
    expect(c.differences()).toEqual([]);
    c.world.close();
  });
});

test("many guests at once are proved at the pace of the sign-in log, and nobody waits for them", async () => {
  const names = Array.from({ length: 25 }, (_, index) => `p${index}`);
  const c = adoptionWorld({
    adopt: "redeemed",
    populate: (source, target) => {
      for (const name of names) {
        hire(source, name);
        const id = invitedBefore(target, `${name}@home.example`);
        target.redeem(id);
        target.signIn(id);
      }
      hire(source, "other");
    },
  });
  await c.world.clock.runFor(5 * MINUTE);
  expect(c.world.graph.statistics().hub?.beforeRetryAfter).toBe(0);
  expect(c.differences()).toEqual([]);
  expect(names.filter((name) => c.link(name)?.state !== "linked")).toEqual([]);
  expect(names.flatMap((name) => c.log(name)).filter(({ status }) => status === "failure")).toEqual([]);
  c.world.close();
});

describe("matching attributes", () => {
  const mappings = [
    { target: "department", source: "department" },
    { target: "employeeId", source: "employeeId", matchingPriority: 1 },
    { target: "mobilePhone", source: "mobilePhone", matchingPriority: 2 },
  ];
  const redeemedGuest = (target: Target, source: Target, ownerId: string, more: object): string => {
    const id = invitedBefore(target, "old.name@home.example", more);
    target.redeem(id, { home: { tenant: "home", userId: ownerId } });
    target.signIn(id);
    expect(source.user(ownerId)).toBeDefined();
    return id;
  };

  test("the first attribute that finds somebody decides; internal users are not found", async () => {
    let guest = "";
    const c = adoptionWorld({
      adopt: "redeemed",
      mappings,
      populate: (source, target) => {
        const ada = hire(source, "ada", { employeeId: "17", mobilePhone: "+1" });
        hire(source, "ben", { employeeId: "18", mobilePhone: "+2" });
        guest = redeemedGuest(target, source, ada, { employeeId: "17", mobilePhone: "+9" });
        target.createUser({ userPrincipalName: "internal@hub.example", employeeId: "18" });
        invitedBefore(target, "stranger@else.example", { mobilePhone: "+1" });
      },
    });
    await c.world.clock.runFor(2 * MINUTE);
    expect(c.link("ada")).toMatchObject({ state: "linked", targetId: guest });
    expect(c.link("ben")).toMatchObject({ state: "linked" });
    expect(c.watch.foreignWrites).toEqual([]);
    c.world.close();
  });

  test("two with one value, and an un-redeemed guest of another address, hold the person", async () => {
    const c = adoptionWorld({
      adopt: "redeemed",
      mappings,
      populate: (source, target) => {
        hire(source, "ada", { employeeId: "17" });
        hire(source, "ben", { employeeId: "18" });
        for (const name of ["x", "y"]) invitedBefore(target, `${name}@home.example`, { employeeId: "17" });
        invitedBefore(target, "z@home.example", { employeeId: "18" });
      },
    });
    await c.world.clock.runFor(2 * MINUTE);
    expect(c.link("ada")).toMatchObject({ because: "AMBIGUOUS_MATCH" });
    expect(c.link("ben")).toMatchObject({ because: "GUEST_NOT_ADOPTED" });
    expect(c.watch.foreignWrites).toEqual([]);
    c.world.close();
  });
});

test("two people of one source with one address: the second is named a duplicate", async () => {
  const c = adoptionWorld({
    populate: (source) => {
      for (const name of ["first", "second"]) hire(source, name, { mail: "shared@home.example" });
    },
  });
  await c.world.clock.runFor(3 * MINUTE);
  const links = ["first", "second"].map((name) => c.link(name)?.because ?? c.link(name)?.state);
  expect(links.sort()).toEqual(["DUPLICATE_SOURCE", "linked"]);
  const guests: TruthUser[] = c.liveGuests();
  expect(guests).toHaveLength(1);
  c.world.close();
});
