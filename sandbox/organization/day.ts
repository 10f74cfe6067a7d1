import * as z from "zod";
import type { DayCloud } from "./day-cloud.ts";
import { type DayReport, eventLines } from "./day-report.ts";
import { type DayEvent, type Expectation, Stage } from "./day-stage.ts";
import { type Colleague, type Roster, rosterOf } from "./roster.ts";

export interface DayOptions {
  /** How long each event may take; 60 s unless said. */
  limitMs?: number;
}

const LIMIT_MS = 60_000;
const [HUB, EMEA, US, GOV, CHINA] = ["contoso", "contoso-emea", "contoso-us", "contoso-gov", "contoso-china"] as const;

/**
 * A day at work in Contoso: people act in the tenants' Graph, and what follows in the targets is watched. What does not depend
 * on each other goes on at the same time. Every event is printed when it is over; the report has them in the order of the
 * day. Throws when a person's own call is refused or the cloud is gone.
 */
export async function playDay(
  cloud: DayCloud,
  print: (text: string) => void,
  options: DayOptions = {},
): Promise<DayReport> {
  const stage = new Stage(cloud, options.limitMs ?? LIMIT_MS);
  await stage.open();
  try {
    const day = new Day(stage, await rosterOf(stage, { source: EMEA, hub: HUB, others: [US, GOV, CHINA] }));
    const played = async (scene: Scene): Promise<DayEvent> => {
      const event = await scene();
      print(eventLines(event));
      return event;
    };
    const strands = day.strands().map(async (steps) => {
      const events: DayEvent[] = [];
      for (const step of steps) events.push(...(await Promise.all([step].flat().map(played))));
      return events;
    });
    const events = (await Promise.all(strands)).flat();
    return { events, ok: events.every(({ outcomes }) => outcomes.every(({ problem }) => problem === undefined)) };
  } finally {
    await stage.close();
  }
}

type Scene = () => Promise<DayEvent>;

const skip = (name: string, skipped: string): DayEvent => ({ name, what: "nobody", outcomes: [], skipped });

class Day {
  private readonly stage: Stage;
  private readonly roster: Roster;
  private leaver: Colleague | undefined;

  constructor(stage: Stage, roster: Roster) {
    this.stage = stage;
    this.roster = roster;
  }

  /**
   * Each strand is played step by step, all strands at the same time. A group leaves a group when nobody is losing a
   * membership any more: from then on they would be counted first.
   */
  strands(): readonly (readonly (Scene | readonly Scene[])[])[] {
    return [
      [[() => this.joiner(), () => this.groupRemoval()], () => this.nestedGroupRemoval()],
      [() => this.joinerForOtherClouds()],
      [() => this.mover()],
      [() => this.moverInGovernment()],
      [() => this.rename()],
      [() => this.managerChange()],
      [() => this.leaverDisabled(), () => this.leaverDeleted(), () => this.leaverReturns()],
      [() => this.oldAddress()],
      [() => this.blockInTarget()],
    ];
  }

  /** Hired, given a manager, put into the group of a department: only then in scope. */
  private async joiner(): Promise<DayEvent> {
    const name = "Joiner";
    const mate = this.roster.take();
    if (!mate) return skip(name, "nobody of Contoso EMEA is in a department's group and in the hub");
    const properties = { ...JOINERS.emea, department: mate.department ?? "Engineering" };
    const person = await this.newcomer(EMEA, properties);
    const managerGuest = mate.managerId === undefined ? undefined : this.roster.guestOf(EMEA, mate.managerId);
    const graph = this.stage.graph(EMEA);
    const found: { id?: string } = {};
    const { department, displayName, givenName, surname, jobTitle } = properties;
    const shown = { displayName, givenName, surname, jobTitle, department };
    return this.stage.play(
      { name, what: `${displayName} is hired in Contoso EMEA, ${department}`, in: EMEA },
      async () => {
        const id = await graph.write("POST", "/users", person);
        if (mate.managerId !== undefined) await this.setManager(EMEA, id, mate.managerId);
        await this.addMember(EMEA, mate.groupId, id);
      },
      () => [
        this.stage.arrived(HUB, person.userPrincipalName, shown, found),
        ...(managerGuest === undefined ? [] : [this.newManager(found, managerGuest)]),
      ],
    );
  }

  private newManager(found: { id?: string }, managerId: string): Expectation {
    return {
      target: HUB,
      what: "manager set",
      find: (commits) => commits.find(({ id, properties }) => id === found.id && properties.includes("manager")),
      confirm: async () => (found.id === undefined ? "no user" : this.stage.managerIs(HUB, found.id, managerId)),
    };
  }

  private async joinerForOtherClouds(): Promise<DayEvent> {
    const name = "Joiner for two clouds";
    const groups = [this.roster.hubDepartmentGroup, this.roster.chinaGroup];
    if (groups.includes(undefined)) return skip(name, "the hub has no groups for it");
    const person = await this.newcomer(HUB, JOINERS.hub);
    const { displayName, jobTitle } = JOINERS.hub;
    const graph = this.stage.graph(HUB);
    return this.stage.play(
      { name, what: `${displayName} is hired in Contoso and joins the China Program`, in: HUB },
      async () => {
        const id = await graph.write("POST", "/users", person);
        for (const group of groups) if (group !== undefined) await this.addMember(HUB, group, id);
      },
      () =>
        [GOV, CHINA].map((target) => this.stage.arrived(target, person.userPrincipalName, { displayName, jobTitle })),
    );
  }

  private async mover(): Promise<DayEvent> {
    const name = "Mover";
    const person = this.roster.take();
    if (!person) return skip(name, "nobody is left for it");
    const changes = { department: "Strategy & Growth", jobTitle: "Programme Manager" };
    return this.stage.play(
      { name, what: `${person.displayName} moves to ${changes.department}`, in: EMEA },
      () => this.stage.graph(EMEA).write("PATCH", `/users/${person.id}`, changes),
      () => [this.showing(HUB, "department and title changed", person.guestId, changes)],
    );
  }

  /** Three attributes come out of the government's cloud, and the title is none of them. */
  private async moverInGovernment(): Promise<DayEvent> {
    const name = "Mover in Government";
    const person = this.roster.guestOfTenant(GOV);
    if (!person) return skip(name, "nobody of Contoso Gov is in the hub");
    const title = "Deputy Programme Executive";
    const changes = { department: "Mission Systems", jobTitle: title };
    const changed = this.showing(HUB, "department changed, title kept at home", person.guestId, {
      department: changes.department,
    });
    return this.stage.play(
      { name, what: `${person.displayName} moves to ${changes.department} in Contoso Gov`, in: GOV },
      () => this.stage.graph(GOV).write("PATCH", `/users/${person.id}`, changes),
      () => [
        {
          ...changed,
          confirm: async () => {
            const leaked = (await this.stage.differs(HUB, person.guestId, { jobTitle: title })) === undefined;
            return leaked ? "the title has left the Government cloud" : changed.confirm?.();
          },
        },
      ],
    );
  }

  /** A new name to sign in with, and the same guest: mail follows, the object stays. */
  private async rename(): Promise<DayEvent> {
    const name = "Rename";
    const person = this.roster.employeeOfHub(GOV);
    if (!person) return skip(name, "nobody of the hub is in Contoso Gov");
    const surname = "Okonkwo-Sørensen";
    const userPrincipalName = await this.freeName(HUB, `${person.userPrincipalName.split("@")[0]}.okonkwo`);
    const displayName = `${person.givenName ?? ""} ${surname}`.trim();
    const changes = { surname, displayName, userPrincipalName, mail: userPrincipalName };
    return this.stage.play(
      { name, what: `${person.displayName} becomes ${displayName}, with a new name to sign in`, in: HUB },
      () => this.stage.graph(HUB).write("PATCH", `/users/${person.id}`, changes),
      () => [
        this.showing(GOV, "same user, new name", person.guestId, { surname, displayName, mail: userPrincipalName }),
      ],
    );
  }

  private async managerChange(): Promise<DayEvent> {
    const name = "Manager change";
    const person = this.roster.take();
    const manager = this.roster.take(); // nobody else's part: the manager must not leave meanwhile
    if (!person || !manager) return skip(name, "nobody is left for it");
    return this.stage.play(
      { name, what: `${person.displayName} reports to ${manager.displayName}`, in: EMEA },
      () => this.setManager(EMEA, person.id, manager.id),
      () => [
        {
          ...this.stage.about(HUB, "manager changed", person.guestId, "updated", ["manager"]),
          confirm: () => this.stage.managerIs(HUB, person.guestId, manager.guestId),
        },
      ],
    );
  }

  private async leaverDisabled(): Promise<DayEvent> {
    const name = "Leaver, account disabled";
    const person = this.roster.take();
    if (!person) return skip(name, "nobody is left for it");
    this.leaver = person;
    return this.stage.play(
      { name, what: `${person.displayName} leaves: the account is disabled`, in: EMEA },
      () => this.stage.graph(EMEA).write("PATCH", `/users/${person.id}`, { accountEnabled: false }),
      () => [this.stage.blocked(HUB, person.guestId)],
    );
  }

  private async leaverDeleted(): Promise<DayEvent> {
    const name = "Leaver, account deleted";
    const person = this.leaver;
    if (!person) return skip(name, "nobody has left");
    return this.stage.play(
      { name, what: `${person.displayName}'s account is deleted`, in: EMEA },
      () => this.stage.graph(EMEA).write("DELETE", `/users/${person.id}`),
      () => [this.stage.removed(HUB, person.guestId)],
    );
  }

  private async leaverReturns(): Promise<DayEvent> {
    const name = "Return within 30 days";
    const person = this.leaver;
    if (!person) return skip(name, "nobody has left");
    return this.stage.play(
      { name, what: `${person.displayName} comes back: the account is restored and enabled`, in: EMEA },
      async () => {
        await this.stage.graph(EMEA).write("POST", `/directory/deletedItems/${person.id}/restore`);
        await this.stage.graph(EMEA).write("PATCH", `/users/${person.id}`, { accountEnabled: true });
      },
      () => [
        {
          ...this.stage.about(HUB, "same user restored, sign-in allowed", person.guestId, "restored"),
          confirm: () =>
            this.stage.differs(HUB, person.guestId, { accountEnabled: true, displayName: person.displayName }),
        },
      ],
    );
  }

  /** Deleted at once, and the address goes to somebody new: nobody inherits the old guest. */
  private async oldAddress(): Promise<DayEvent> {
    const name = "New person with an old address";
    const old = this.roster.guestOfTenant(US);
    if (!old) return skip(name, "nobody of Contoso US is in the hub");
    const graph = this.stage.graph(US);
    const left = await this.stage.play(
      { name, what: `${old.displayName} leaves Contoso US: the account is deleted`, in: US },
      () => graph.write("DELETE", `/users/${old.id}`),
      () => [this.stage.blocked(HUB, old.guestId), this.stage.removed(HUB, old.guestId)],
    );
    let id = "";
    const held = await this.stage.play(
      { name, what: "a newcomer gets the address", in: US },
      async () => {
        const person = {
          ...JOINERS.us,
          ...(await this.account(JOINERS.us.mailNickname)),
          userPrincipalName: old.userPrincipalName,
        };
        id = await graph.write("POST", "/users", { ...person, mail: old.mail ?? old.userPrincipalName });
      },
      () => [this.stage.held(HUB, () => id, old.mail ?? old.userPrincipalName, "ADDRESS_REUSED")],
    );
    return {
      name,
      what: `${left.what}; ${JOINERS.us.displayName} gets the same address`,
      outcomes: [...left.outcomes, ...held.outcomes],
    };
  }

  private async groupRemoval(): Promise<DayEvent> {
    const name = "Out of the group";
    const person = this.roster.take();
    if (!person) return skip(name, "nobody is left for it");
    return this.stage.play(
      { name, what: `${person.displayName} is taken out of ${person.groupName}`, in: EMEA },
      () => this.stage.graph(EMEA).write("DELETE", `/groups/${person.groupId}/members/${person.id}/$ref`),
      () => [this.stage.blocked(HUB, person.guestId), this.stage.removed(HUB, person.guestId)],
    );
  }

  /** A department's group is taken out of its country's: nobody in it was touched, and all leave the scope. */
  private async nestedGroupRemoval(): Promise<DayEvent> {
    const name = "A group out of the group";
    const nest = this.roster.takeGroup();
    if (!nest) return skip(name, "no small group within a group is left");
    return this.stage.play(
      { name, what: `${nest.name} (${nest.people.length}) is taken out of ${nest.parentName}`, in: EMEA },
      () => this.stage.graph(EMEA).write("DELETE", `/groups/${nest.parentId}/members/${nest.id}/$ref`),
      () =>
        nest.people.map(({ guestId, displayName }) => ({
          ...this.stage.removed(HUB, guestId),
          what: `${displayName} removed`,
        })),
    );
  }

  /** The hub's administrator blocks a guest; what happens at home afterwards changes the guest and not the block. */
  private async blockInTarget(): Promise<DayEvent> {
    const name = "A block set in the target";
    const person = this.roster.take();
    if (!person) return skip(name, "nobody is left for it");
    const changes = { jobTitle: "Principal Consultant" };
    const changed = this.showing(HUB, "title changed, block respected", person.guestId, changes);
    return this.stage.play(
      { name, what: `the hub blocks ${person.displayName}, who is then promoted at home`, in: EMEA },
      async () => {
        await this.stage.graph(HUB).write("PATCH", `/users/${person.guestId}`, { accountEnabled: false });
        await this.stage.graph(EMEA).write("PATCH", `/users/${person.id}`, changes);
      },
      () => [
        {
          ...changed,
          confirm: () => this.stage.differs(HUB, person.guestId, { ...changes, accountEnabled: false }),
        },
      ],
    );
  }

  private showing(
    target: string,
    what: string,
    targetId: string,
    expected: Readonly<Record<string, unknown>>,
  ): Expectation {
    return {
      ...this.stage.about(target, what, targetId, "updated", Object.keys(expected)),
      confirm: () => this.stage.differs(target, targetId, expected),
    };
  }

  private async newcomer(tenant: string, properties: { mailNickname: string }) {
    const userPrincipalName = await this.freeName(tenant, properties.mailNickname);
    return {
      ...properties,
      ...(await this.account(properties.mailNickname)),
      userPrincipalName,
      mail: userPrincipalName,
    };
  }

  private async account(mailNickname: string) {
    return {
      accountEnabled: true,
      mailNickname,
      passwordProfile: { forceChangePasswordNextSignIn: true, password: `${crypto.randomUUID()}Aa1!` },
    };
  }

  private async freeName(tenant: string, local: string): Promise<string> {
    const graph = this.stage.graph(tenant);
    for (let number = 1; ; number++) {
      const name = `${local}${number === 1 ? "" : number}@${graph.tenant.domain}`;
      const taken = await graph.list(
        `/users?$select=id&$filter=${encodeURIComponent(`userPrincipalName eq '${name.replaceAll("'", "''")}'`)}`,
        z.object({ id: z.string() }),
      );
      if (taken.length === 0) return name;
    }
  }

  private addMember(tenant: string, groupId: string, userId: string): Promise<string> {
    const graph = this.stage.graph(tenant);
    return graph.write("POST", `/groups/${groupId}/members/$ref`, {
      "@odata.id": `${graph.tenant.graph}/v1.0/directoryObjects/${userId}`,
    });
  }

  private setManager(tenant: string, userId: string, managerId: string): Promise<string> {
    const graph = this.stage.graph(tenant);
    return graph.write("PUT", `/users/${userId}/manager/$ref`, {
      "@odata.id": `${graph.tenant.graph}/v1.0/users/${managerId}`,
    });
  }
}

const JOINERS = {
  emea: {
    mailNickname: "lucja.wisniewska",
    displayName: "Łucja Wiśniewska",
    givenName: "Łucja",
    surname: "Wiśniewska",
    jobTitle: "Software Engineer",
    country: "Poland",
    city: "Kraków",
    companyName: "Contoso EMEA GmbH",
    usageLocation: "PL",
    preferredLanguage: "pl-PL",
  },
  hub: {
    mailNickname: "ouyang.wenjing",
    displayName: "欧阳文静",
    givenName: "文静",
    surname: "欧阳",
    jobTitle: "Supply Chain Planner",
    department: "Operations",
    companyName: "Contoso Ltd",
    usageLocation: "US",
    preferredLanguage: "zh-CN",
  },
  us: {
    mailNickname: "newcomer",
    displayName: "Imani Fairweather",
    givenName: "Imani",
    surname: "Fairweather",
    jobTitle: "Account Executive",
    department: "Sales",
    companyName: "Contoso US Inc.",
    usageLocation: "US",
  },
} as const;
