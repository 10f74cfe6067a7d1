import { testWorlds } from "./all-at-once.ts";

testWorlds(1_000, 150);
