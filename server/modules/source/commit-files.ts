/** A commit made by the server itself, without a working tree. */
import { refuse, RefusalError } from "#api/errors.ts";
import type { SourceContext } from "./context.ts";
import { commitStream, isTreePath } from "./core/commit-stream.ts";

export interface FilesToCommit {
  repository: string;
  branch: string;
  /** Content by path; null removes the file. */
  files: Record<string, string | null>;
  message: string;
  author: { name: string; email: string };
}

const filesLimit = 1000;
const bytesLimit = 16 * 1024 * 1024;

/**
 * Puts one commit with all the files on top of the branch, making the branch where it is missing. Answers the branch's head, which is
 * the old one when every file has its content already.
 */
export async function commitFiles(context: SourceContext, request: FilesToCommit): Promise<{ revision: string }> {
  const { repository, branch, files } = request;
  checkFiles(files);
  return context.writers.write(repository, request.author.name, async () => {
    const parent = await context.reading.resolve(repository, `refs/heads/${branch}`);
    if (parent && (await unchanged(context, { repository, parent, files }))) return { revision: parent };
    const input = commitStream({ ...request, parent, at: context.clock.now() });
    const directory = context.places.of(repository);
    await context.git.read({ directory, args: ["fast-import", "--quiet", "--done"], input });
    const revision = await context.reading.resolve(repository, `refs/heads/${branch}`);
    if (!revision) throw new Error(`git fast-import made no ${branch} in ${repository}`);
    return { revision };
  });
}

async function unchanged(
  { reading }: SourceContext,
  { repository, parent, files }: { repository: string; parent: string; files: FilesToCommit["files"] },
): Promise<boolean> {
  const present = await reading.readMany(repository, parent, Object.keys(files));
  return Object.values(files).every((content, index) => (content ?? undefined) === present[index]);
}

function checkFiles(files: FilesToCommit["files"]): void {
  const paths = Object.keys(files);
  const wrong = paths.find((path) => !isTreePath(path));
  if (wrong !== undefined)
    throw new RefusalError(refuse("name.invalid", `${JSON.stringify(wrong)} cannot be a path in a repository`));
  const bytes = Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content ?? ""), 0);
  if (paths.length > filesLimit || bytes > bytesLimit)
    throw new RefusalError(refuse("request.too-large", `a commit takes ${filesLimit} files and ${bytesLimit} bytes`));
}
