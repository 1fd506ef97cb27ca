/**
 * Where the sources can be seen: for links from a code block to its file, and for "edit this page".
 *
 * Told by VMEXIT_REPOSITORY, by the host of a CI run, or by package.json. Where nobody tells, the book
 * shows paths without links rather than links to nowhere.
 */
import packageJson from "../package.json" with { type: "json" };

function repositoryUrl(): string | undefined {
  const { VMEXIT_REPOSITORY, GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
  if (VMEXIT_REPOSITORY) return VMEXIT_REPOSITORY;
  if (GITHUB_SERVER_URL && GITHUB_REPOSITORY) return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;
  const { repository } = packageJson as { repository?: string | { url: string } };
  const url = typeof repository === "string" ? repository : repository?.url;
  return url?.replace(/^git\+/, "").replace(/\.git$/, "");
}

export const repository = repositoryUrl()?.replace(/\/$/, "");

const BRANCH = process.env["VMEXIT_BRANCH"] ?? "main";

/** The page of a file, or of some of its lines (counted from 1); undefined without a repository. */
export function sourceUrl(path: string, lines?: { first: number; last: number }): string | undefined {
  if (!repository) return undefined;
  return `${repository}/blob/${BRANCH}/${path}${lines ? `#L${lines.first}-L${lines.last}` : ""}`;
}

/** The pattern of VitePress's edit link. */
export const editPattern = repository && `${repository}/edit/${BRANCH}/docs/:path`;
