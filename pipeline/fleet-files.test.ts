import { expect, test } from "vitest";
import { renderFault } from "./fault.ts";
import { checkFleet } from "./fleet-files.ts";

const faults = (files: Record<string, string>) =>
  checkFleet(Object.entries(files).map(([name, text]) => ({ file: `environments/${name}`, text }))).map(renderFault);

test("a fleet whose environments come one after the other has no fault", () => {
  expect(faults({ "test.yml": "target: docker", "production.yml": "target: docker\nafter: test" })).toEqual([]);
});

test("a circle of environments is told at the `after` that closes it", () => {
  expect(faults({ "a.yml": "target: docker\nafter: b", "b.yml": "target: docker\nafter: a" })).toEqual([
    "environments/a.yml:2:8: the environments come after each other in a circle: a after b after a (Remove one `after`.)",
  ]);
});

test("an environment cannot come after one that has no file", () => {
  expect(faults({ "production.yml": "target: docker\nafter: tset" })).toEqual([
    "environments/production.yml:2:8: there is no environment `tset` that this one could come after (Add environments/tset.yml, or correct `after`.)",
  ]);
});

test("the fault of one file is told with its place, and does not hide those of others", () => {
  expect(faults({ "builds.yml": "target: docker", "x.yml": "target: docker\nwacth: 1s", "x.yaml": "{}" })).toEqual([
    "environments/builds.yml:1:1: `builds` names the secrets of build jobs and cannot be an environment (Rename the file.)",
    "environments/x.yml:2:1: the key `wacth` is not known at the top of the file (did you mean `watch`?)",
    "environments/x.yaml:1:1: the key `target` is missing at the top of the file (add `target:`)",
    "environments/x.yaml:1:1: the environment `x` is in environments/x.yml already (Remove one.)",
  ]);
});

test("the template for pull requests borrows from an environment that there is", () => {
  const test = "target: docker";
  expect(faults({ "test.yml": test, "preview.yml": "target: docker\nborrow: test\nkeep: 2d\nmost: 3" })).toEqual([]);
  expect(faults({ "test.yml": test, "preview.yml": "target: docker\nborrow: tset" })).toEqual([
    "environments/preview.yml:2:9: there is no environment `tset` whose services pull requests could use (Add environments/tset.yml, or correct `borrow`.)",
  ]);
  expect(faults({ "test.yml": test, "preview.yml": "target: docker" })).toEqual([
    "environments/preview.yml:1:1: it is not said whose services a pull request uses that it does not bring itself (add `borrow: test`)",
  ]);
});

test("what only the template may say is refused elsewhere, what it may not say there, and its names belong to it", () => {
  expect(
    faults({
      "test.yml": "target: docker\nkeep: 1d",
      "preview.yml": "target: docker\nborrow: test\ndomain: x.example.com",
      "preview-3.yml": "target: docker",
      "late.yml": "target: docker\nafter: preview",
    }),
  ).toEqual([
    "environments/test.yml:2:7: `keep` is only for environments/preview.yml (remove `keep`)",
    "environments/preview.yml:3:9: `domain` has no meaning for environments of pull requests (remove `domain`)",
    "environments/preview-3.yml:1:1: `preview-3` is a name for the environments of pull requests (rename the file)",
    "environments/late.yml:2:8: there is no environment `preview` that this one could come after (Add environments/preview.yml, or correct `after`.)",
  ]);
});
