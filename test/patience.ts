/**
 * How long a test on real wires waits for what will come, ms: nobody waits that long unless it never comes, and a machine
 * that is slow or busy fails no test. What a test says about time has to hold whatever the machine's pace.
 */
export const PATIENCE_MS = 60_000;
