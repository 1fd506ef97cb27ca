/** What keeps a file from being used, in words. */

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EISDIR: "this is a folder",
  EACCES: "you may not use this file",
  EPERM: "you may not use this file",
  EROFS: "this file system can only be read",
  ENOSPC: "the disk is full",
};

/** For an error that Node's file functions threw. */
export function fileProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code && PROBLEMS[code]) ?? `it cannot be used (${code ?? message})`;
}
