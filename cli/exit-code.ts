/** How a command ends; documented for scripts. */
export const EXIT = {
  done: 0,
  /** The command worked, and the answer is an error. */
  refused: 1,
  /** Wrong arguments, or a file that cannot be read. */
  usage: 2,
  /** The app, or whoever gives the token, was not reached. */
  unreachable: 3,
} as const;

/** Wrong arguments, or a file that cannot be read: told without a stack, and ends with `EXIT.usage`. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
