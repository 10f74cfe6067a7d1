import * as z from "zod";
import { type CommitEntry, CommitFeed, type DayCloud, PeopleGraph } from "./day-cloud.ts";

/** What happened in one target because of an event. */
export interface Outcome {
  target: string;
  what: string;
  /** From the commit in the source to the commit in the target, by the tenants' clock. */
  ms: number | undefined;
  /** What is not as expected; absent when all is well. */
  problem?: string;
}

export interface DayEvent {
  name: string;
  /** Who did what. */
  what: string;
  outcomes: readonly Outcome[];
  /** Why it could not be played in this organization. */
  skipped?: string;
}

/** Something that should happen in a target. */
export interface Expectation {
  target: string;
  what: string;
  /** The commit that is it, among those of users of the target since the event began; or what can never become right. */
  find(commits: readonly CommitEntry[]): Promise<Found | undefined> | Found | undefined;
  /** What the target shows that is not right; `undefined` when it is. Asked until it is, within the time limit. */
  confirm?: () => Promise<string | undefined>;
}

/** When it happened, ms since 1970. */
type Found = { at: number; problem?: undefined } | { at?: undefined; problem: string };

const NEWS_MS = 250;

const GuestRow = z.object({
  id: z.string(),
  mail: z.string().nullish(),
  creationType: z.string().nullish(),
  userType: z.string().nullish(),
});

/** People at work on a cloud, and eyes on its targets. */
export class Stage {
  readonly cloud: DayCloud;
  readonly limitMs: number;
  private readonly graphs = new Map<string, PeopleGraph>();
  private readonly feed: CommitFeed;
  /** Ends when nobody acts. */
  private acting: Promise<unknown> = Promise.resolve();

  constructor(cloud: DayCloud, limitMs: number) {
    this.cloud = cloud;
    this.limitMs = limitMs;
    this.feed = new CommitFeed(cloud);
  }

  open = (): Promise<void> => this.feed.start();
  close = (): Promise<void> => this.feed.stop();

  graph(tenant: string): PeopleGraph {
    const graph = this.graphs.get(tenant) ?? new PeopleGraph(this.cloud, tenant);
    this.graphs.set(tenant, graph);
    return graph;
  }

  /**
   * Plays an event: somebody acts in a tenant, then everything that should follow is waited for at the same time. Several
   * may be played at once; people act one after the other, so that everybody's last commit is known.
   */
  async play(
    event: { name: string; what: string; in: string },
    act: () => Promise<unknown>,
    expectations: () => readonly Expectation[],
  ): Promise<DayEvent> {
    const acted = this.acting.then(async () => {
      const mark = this.feed.commits.length;
      await act();
      return { mark, startAt: await this.actedAt(event.in, mark) };
    });
    this.acting = acted.catch(() => {}); // told to whoever plays that event
    const { mark, startAt } = await acted;
    const outcomes = await Promise.all(expectations().map((expectation) => this.follow(expectation, mark, startAt)));
    return { name: event.name, what: event.what, outcomes };
  }

  /** When the person's last commit was made. */
  private async actedAt(tenant: string, mark: number): Promise<number> {
    const client = this.graph(tenant).tenant.client.id;
    await this.feed.catchUp();
    const last = this.feed.commits.slice(mark).findLast((commit) => commit.tenant === tenant && commit.by === client);
    if (!last) throw new Error(`the control surface does not show what was done in ${tenant}`);
    return last.at;
  }

  private async follow(expectation: Expectation, mark: number, startAt: number): Promise<Outcome> {
    const { target, what } = expectation;
    const deadline = Date.now() + this.limitMs;
    const late = `not within ${Math.round(this.limitMs / 1000)} s`;
    for (;;) {
      const commits = this.feed.commits.slice(mark).filter((one) => one.tenant === target && one.object === "user");
      const found = await expectation.find(commits);
      if (found?.problem !== undefined) return { target, what, ms: undefined, problem: found.problem };
      const problem = found ? await expectation.confirm?.() : late;
      if (found && problem === undefined) return { target, what, ms: found.at - startAt };
      if (Date.now() > deadline) return { target, what, ms: found && found.at - startAt, problem: problem ?? late };
      await this.feed.news(NEWS_MS);
    }
  }

  /** Invited users of a target by the address they have there, lower case. */
  async guests(target: string): Promise<ReadonlyMap<string, string>> {
    const rows = await this.graph(target).list("/users?$select=id,mail,creationType,userType&$top=500", GuestRow);
    const invited = rows.filter(({ creationType, mail }) => creationType === "Invitation" && mail);
    return new Map(invited.map(({ id, mail }) => [String(mail).toLowerCase(), id]));
  }

  /** The first thing in the target about this user: with `properties`, one that changed one of them. */
  about(
    target: string,
    what: string,
    targetId: string,
    kind: CommitEntry["kind"],
    properties?: readonly string[],
  ): Expectation {
    return {
      target,
      what,
      find: (commits) =>
        commits.find(
          (one) =>
            one.id === targetId &&
            one.kind === kind &&
            (properties === undefined || properties.some((name) => one.properties.includes(name))),
        ),
    };
  }

  /** Sign-in is blocked by `accountEnabled: false` or by deletion, whichever comes first. */
  blocked(target: string, targetId: string): Expectation {
    return {
      target,
      what: "sign-in blocked",
      find: (commits) =>
        commits.find(
          ({ id, kind, properties }) =>
            id === targetId && (kind === "deleted" || (kind === "updated" && properties.includes("accountEnabled"))),
        ),
      confirm: async () => {
        const user = await this.shown(target, targetId, ["accountEnabled"]);
        return user === undefined || user.accountEnabled === false ? undefined : "sign-in is still allowed";
      },
    };
  }

  /** Nobody is created for a source user, and the app's log says why. There is no commit: the time is when the log was seen. */
  held(target: string, userId: () => string, address: string, code: string): Expectation {
    const arrived = this.arrived(target, address, {});
    return {
      target,
      what: `held, ${code} in the log`,
      find: async (commits) => {
        if (await arrived.find(commits)) return { problem: "a user was created" };
        const found = await this.cloud.logCode(userId());
        return found === code ? { at: Date.now() } : undefined;
      },
    };
  }

  removed(target: string, targetId: string): Expectation {
    return {
      ...this.about(target, "user removed", targetId, "deleted"),
      confirm: async () => ((await this.shown(target, targetId, ["id"])) ? "the user is still there" : undefined),
    };
  }

  /** A new user with this address, and what it must show. Remembers its id in `found`. */
  arrived(
    target: string,
    address: string,
    expected: Readonly<Record<string, unknown>>,
    found: { id?: string } = {},
  ): Expectation {
    const strangers = new Set<string>();
    return {
      target,
      what: "user created",
      find: async (commits) => {
        for (const commit of commits) {
          if (commit.kind !== "created" || strangers.has(commit.id)) continue;
          const user = await this.shown(target, commit.id, ["mail"]);
          if (String(user?.mail).toLowerCase() === address.toLowerCase()) {
            found.id = commit.id;
            return commit;
          }
          if (user) strangers.add(commit.id);
        }
        return undefined;
      },
      confirm: async () => (found.id === undefined ? "no user" : this.differs(target, found.id, expected)),
    };
  }

  /** The first attribute of a target user that is not as expected. */
  async differs(
    target: string,
    targetId: string,
    expected: Readonly<Record<string, unknown>>,
  ): Promise<string | undefined> {
    const user = await this.shown(target, targetId, Object.keys(expected));
    if (!user) return "the user cannot be read";
    const wrong = Object.entries(expected).find(
      ([name, value]) => JSON.stringify(user[name] ?? null) !== JSON.stringify(value),
    );
    return wrong && `${wrong[0]} is ${JSON.stringify(user[wrong[0]] ?? null)} instead of ${JSON.stringify(wrong[1])}`;
  }

  async managerIs(target: string, targetId: string, managerId: string): Promise<string | undefined> {
    const manager = await this.graph(target).read(
      `/users/${targetId}/manager?$select=id`,
      z.object({ id: z.string() }),
    );
    return manager?.id === managerId ? undefined : `the manager is ${manager ? "somebody else" : "missing"}`;
  }

  private shown(tenant: string, id: string, names: readonly string[]) {
    const select = [...new Set(["id", ...names])].join(",");
    return this.graph(tenant).read(`/users/${id}?$select=${select}`, z.record(z.string(), z.unknown()));
  }
}
