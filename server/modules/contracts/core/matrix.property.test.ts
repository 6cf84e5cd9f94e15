import fc from "fast-check";
import { expect, test } from "vitest";
import { matrix, type Query, type Target } from "./matrix.ts";
import type { Selector } from "./selectors.ts";
import { TestWorld } from "./test-world.ts";
import { judge } from "./verdict.ts";
import type { World } from "./world.ts";

const names = ["A", "B", "C"];
const places = ["test", "prod"];
const name = fc.constantFrom(...names);
const number = fc.constantFrom("1", "2", "3");
const pair = fc.tuple(name, name).filter(([consumer, provider]) => consumer !== provider);

const happening = fc.oneof(
  fc.record({ kind: fc.constant("pact" as const), pair, number, content: fc.constantFrom("x", "y", "z") }),
  fc.record({ kind: fc.constant("version" as const), name, number, in: fc.subarray(places), tagged: fc.boolean() }),
  fc.record({ kind: fc.constant("result" as const), at: fc.nat(), by: number, fails: fc.boolean() }),
);

const world = fc.array(happening, { minLength: 4, maxLength: 25 }).map((happenings) => {
  const made = new TestWorld();
  for (const each of happenings) {
    if (each.kind === "pact") {
      const [consumer, provider] = each.pair;
      if (!made.publications.some((known) => isSame(made, known, { consumer, provider, number: each.number })))
        made.pact(consumer, each.number, provider, `${consumer}${provider}${each.content}`);
    } else if (each.kind === "version") {
      made.version(each.name, each.number, {
        in: each.in,
        ...(each.tagged ? { tags: ["t"], branch: "main" } : {}),
      });
    } else verify(made, each);
  }
  for (const each of names) made.pacticipant(each, "main");
  return made;
});

function isSame(made: TestWorld, known: World["publications"][number], pact: Record<string, string>): boolean {
  const version = made.versions.find(({ id }) => id === known.version);
  return (
    known.consumer === pact["consumer"] && known.provider === pact["provider"] && version?.number === pact["number"]
  );
}

/** Some publication, verified by a version of its provider. */
function verify(made: TestWorld, { at, by, fails }: { at: number; by: string; fails: boolean }): void {
  const publication = made.publications[at % made.publications.length];
  const consumer = made.versions.find(({ id }) => id === publication?.version);
  if (publication && consumer)
    made.result(`${publication.consumer} ${consumer.number} ${publication.provider}`, by, fails ? { fails: true } : {});
}

const target = fc.constantFrom<Target>(
  {},
  { environment: "prod" },
  { tag: "t" },
  { tag: "t", latest: true },
  { latest: true },
  { mainBranch: true },
);
const selector = fc
  .tuple(name, number, fc.constantFrom("version", "tag", "branch", "all"))
  .map(([pacticipant, version, kind]): Selector => {
    if (kind === "version") return { pacticipant, version };
    if (kind === "tag") return { pacticipant, tag: "t", latest: true };
    return kind === "branch" ? { pacticipant, branch: "main" } : { pacticipant };
  });
const query = fc.record({
  selectors: fc.uniqueArray(selector, { minLength: 1, maxLength: 2, selector: ({ pacticipant }) => pacticipant }),
  target,
  latestBy: fc.constantFrom("cvp" as const, "cvpv" as const),
  ignore: fc.subarray(names, { maxLength: 1 }).map((ignored) => ignored.map((pacticipant) => ({ pacticipant }))),
});

const verdictOf = (of: World, asked: Query) => judge(of, asked, matrix(of, asked)).verdict;

test("another success, by a version that was there, never turns yes into something else", () => {
  fc.assert(
    fc.property(world, query, fc.nat(), fc.nat(), (made, asked, at, by) => {
      fc.pre(verdictOf(made, asked) === "yes" && made.publications.length > 0);
      const { provider } = made.publications[at % made.publications.length]!;
      const versions = made.versions.filter(({ pacticipant }) => pacticipant === provider);
      fc.pre(versions.length > 0);
      verify(made, { at, by: versions[by % versions.length]!.number, fails: false });
      expect(verdictOf(made, asked)).toBe("yes");
    }),
    { numRuns: 300 },
  );
});

test("a failure never turns no or unknown into yes", () => {
  fc.assert(
    fc.property(world, query, fc.nat(), fc.nat(), (made, asked, at, by) => {
      fc.pre(verdictOf(made, asked) !== "yes" && made.publications.length > 0);
      const { provider } = made.publications[at % made.publications.length]!;
      const versions = made.versions.filter(({ pacticipant }) => pacticipant === provider);
      fc.pre(versions.length > 0);
      verify(made, { at, by: versions[by % versions.length]!.number, fails: true });
      expect(verdictOf(made, asked)).not.toBe("yes");
    }),
    { numRuns: 300 },
  );
});

test("the order in which facts arrive does not matter, nor what is about others", () => {
  fc.assert(
    fc.property(world, query, fc.infiniteStream(fc.nat()), (made, asked, random) => {
      const shuffled = <T>(list: readonly T[]): T[] =>
        list
          .map((value) => ({ value, rank: random.next().value as number }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ value }) => value);
      const before = { found: matrix(made, asked), judgement: judge(made, asked, matrix(made, asked)) };
      made.pact("X", "1", "Y").result("X 1 Y", "1", { in: ["prod"], fails: true });
      const other: World = {
        ...{ pacticipants: made.pacticipants, integrations: made.integrations },
        versions: shuffled(made.versions),
        publications: shuffled(made.publications),
        verifications: shuffled(made.verifications),
      };
      expect(matrix(other, asked)).toEqual(before.found);
      expect(judge(other, asked, matrix(other, asked))).toEqual(before.judgement);
    }),
    { numRuns: 300 },
  );
});

test("yes to an environment means: with each version that serves there, every pact in between was verified last with success", () => {
  fc.assert(
    fc.property(world, name, number, (made, pacticipant, version) => {
      const asked: Query = { selectors: [{ pacticipant, version }], target: { environment: "prod" }, ignore: [] };
      fc.pre(verdictOf(made, asked) === "yes");
      const self = made.versions.find((each) => each.pacticipant === pacticipant && each.number === version)!;
      const serving = made.versions.filter(
        (each) => each.deployed.includes("prod") && each.pacticipant !== pacticipant,
      );
      for (const pact of made.publications) {
        const asConsumer = pact.version === self.id;
        const asProvider = pact.provider === pacticipant && serving.some(({ id }) => id === pact.version);
        const providers = asConsumer
          ? serving.filter((each) => each.pacticipant === pact.provider)
          : asProvider
            ? [self]
            : [];
        if (asConsumer) expect(providers.length).toBeGreaterThan(0);
        for (const { id } of providers) {
          const results = made.verifications.filter((each) => each.content === pact.content && each.version === id);
          expect(results.at(-1)?.success).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});
