import type fc from "fast-check";
import type { TwoTenants } from "../scenario/two-tenants.ts";

/** Something happens in a small world, whatever came before. */
export class Step<M extends object> implements fc.AsyncCommand<M, TwoTenants> {
  readonly what: string;
  readonly act: (m: M, c: TwoTenants) => Promise<void> | void;

  constructor(what: string, act: (m: M, c: TwoTenants) => Promise<void> | void) {
    this.what = what;
    this.act = act;
  }

  check = () => true;

  async run(m: M, c: TwoTenants): Promise<void> {
    await this.act(m, c);
  }

  toString = () => this.what;
}
