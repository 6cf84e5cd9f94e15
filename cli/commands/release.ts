import { manifestSchema } from "#pipeline/manifest.ts";
import { storyNames } from "#pipeline/story-names.ts";
import { isRefusal } from "#api/errors.ts";
import { imageLine, showImage } from "./attestation.ts";
import { accepted, age, paint, print, printJson, shortCommit, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

type Flags = SessionFlags & { json?: boolean };

export async function listReleases(flags: Flags, service: string): Promise<void> {
  const client = await openClient(flags);
  const { releases } = accepted(await client.listReleases({ params: { service } }));
  if (flags.json) return printJson({ releases });
  const rows = releases.map((each) => [`#${each.number}`, shortCommit(each.commit), age(each.createdAt), each.digest]);
  print(table(["RELEASE", "COMMIT", "AGE", "DIGEST"], rows));
}

export async function showRelease(
  flags: Flags & { packages?: boolean },
  service: string,
  number: string,
): Promise<void> {
  const client = await openClient(flags);
  const release = accepted(await client.showRelease({ params: { service, number } }));
  const query = { service, release: release.number };
  const { signOffs } = accepted(await client.listSignOffs({ query }));
  if (flags.packages) return showImage(flags, client, { service, number });
  if (flags.json) return printJson({ ...release, signOffs });
  print(`${paint("bold", `${service} #${release.number}`)} ${shortCommit(release.commit)} ${release.digest}`);
  print(`  ${paint("dim", `build ${release.build}, ${age(release.createdAt)} ago`)}`);
  const image = await client.showReleaseImage({ params: { service, number }, query: { limit: 0 } });
  if (!isRefusal(image)) print(`  ${imageLine(image)}`);
  describeManifest(release.manifest).forEach((line) => print(`  ${line}`));
  const stories = [...new Set(release.commits.flatMap(({ message }) => storyNames(message)))];
  if (stories.length > 0) print(`  stories: ${stories.join(", ")}`);
  release.commits.forEach((commit) =>
    print(`  ${shortCommit(commit.revision)} ${commit.message.split("\n")[0]} ${paint("dim", commit.author)}`),
  );
  release.evidence.forEach(({ label, outcome, reusedFrom }) => {
    const from = reusedFrom === undefined ? "" : paint("dim", `  reused from build #${reusedFrom}`);
    print(`  ${outcome === "passed" ? paint("green", "✓") : paint("red", "✗")} ${label}${from}`);
  });
  signOffs.forEach(({ signOff, user, environment, counts, note }) =>
    print(
      `  ${counts ? paint("green", "✓") : paint("dim", "–")} ${signOff} for ${environment} by ${user}${counts ? "" : " (a newer release was deployed there)"}${note ? `: ${note}` : ""}`,
    ),
  );
}

/** What the release asks for, variables and secrets by name; `--json` has all of it. */
function describeManifest(given: Record<string, unknown>): string[] {
  const { data } = manifestSchema.safeParse(given);
  if (!data) return [];
  const { run, port, health, needs, uses, variables, secrets } = data;
  const { min, max } = run.instances;
  const lists = { needs, uses, variables: Object.keys(variables), secrets };
  return [
    `port ${port}${health}, ${min === max ? min : `${min} to ${max}`} × ${run.cpu} cores and ${Math.round(run.memory / 2 ** 20)} MiB`,
    ...Object.entries(lists).flatMap(([name, list]) => (list.length > 0 ? [`${name}: ${list.join(", ")}`] : [])),
  ];
}
