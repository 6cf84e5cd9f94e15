import fc from "fast-check";
import { expect, test } from "vitest";
import { actions, allowedClaims, claimed, mayDo, parseScopes } from "./rights.ts";

const job = (repositories: Record<string, ("pull" | "push")[]>) =>
  ({ kind: "job", name: "j", token: "t", grants: { repositories } }) as const;

test("scopes are read one by one, and what is none is left out", () => {
  expect(
    parseScopes(["repository:a/b:pull,push repository:c:*", "registry:catalog:*", "repository:A:pull", ""]),
  ).toEqual([
    { type: "repository", name: "a/b", actions: ["pull", "push"] },
    { type: "repository", name: "c", actions: ["pull", "push", "delete"] },
  ]);
  expect(parseScopes(Array.from({ length: 1000 }, () => "repository:a:pull"))).toHaveLength(50);
  fc.assert(fc.property(fc.array(fc.string()), (texts) => void parseScopes(texts)));
});

test("a token never opens more than its bearer may, nor more than was asked", () => {
  const name = fc.constantFrom("a", "b", "constructor", "__proto__");
  const grants = fc.dictionary(name, fc.subarray(["pull", "push"] as ("pull" | "push")[]));
  const asked = fc.array(
    fc.record({ type: fc.constant("repository" as const), name, actions: fc.subarray([...actions]) }),
  );
  fc.assert(
    fc.property(grants, asked, (repositories, claims) => {
      const allowed = allowedClaims(job(repositories), claims);
      for (const { name: repository, actions: given } of allowed)
        for (const action of given) {
          expect(mayDo(job(repositories), repository, action)).toBe(true);
          expect(claimed(claims, repository, action)).toBe(true);
        }
    }),
  );
});
