/** Something that is wrong and that the user can mend: shown as its message, without a stack. */
export class Complaint extends Error {
  override readonly name = "Complaint";
  /** `exitCode` 2 is wrong usage, 1 is everything else. */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}
