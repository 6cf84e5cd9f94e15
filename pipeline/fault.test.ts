import { expect, test } from "vitest";
import { type Fault, refuseFaults, renderFault } from "./fault.ts";

const fault: Fault = {
  code: "shape.unknown-key",
  message: "the key `prt` is not known",
  place: { file: "towline.yml", line: 2, column: 9 },
  fix: "did you mean `port`?",
};

test("a fault reads as editors and terminals link it", () => {
  expect(renderFault(fault)).toBe("towline.yml:2:9: the key `prt` is not known (did you mean `port`?)");
});

test("one refusal carries all faults and shows the first", () => {
  expect(refuseFaults("manifest.invalid", [fault, fault])).toMatchObject({
    refused: "manifest.invalid",
    message: "the key `prt` is not known (and 1 more)",
    place: fault.place,
    fix: fault.fix,
    details: { faults: [fault, fault] },
  });
});
