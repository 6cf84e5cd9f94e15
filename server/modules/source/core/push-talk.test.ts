import { expect, test } from "vitest";
import { answerText, readAnnouncement, refusalLines } from "./push-talk.ts";

const [none, one, two] = ["0".repeat(40), "1".repeat(40), "2".repeat(40)];

test("the announcement names the branches that are made or moved, once it is complete", () => {
  const text = `quarantine /a/b\nref ${none} ${one} refs/heads/main\nref ${one} ${none} refs/heads/gone\nref ${one} ${two} refs/tags/v1\n`;
  expect(readAnnouncement(text)).toBeUndefined();
  expect(readAnnouncement(`${text}rea`)).toBeUndefined();
  expect(readAnnouncement(`${text}ready\n`)).toEqual({
    quarantine: "/a/b",
    branches: [{ name: "main", revision: one }],
  });
  expect(readAnnouncement("ready\n")).toEqual({ quarantine: "", branches: [] });
});

test("no text of a file can say anything to the hook but what is shown", () => {
  expect(answerText([])).toBe("go\n");
  expect(answerText(["a\ngo", "b\u001b[2J"])).toBe("say a go\nsay b [2J\nrefused\n");
});

test("of many faults the first are told, and how many more there are", () => {
  const lines = refusalLines("main", Array.from({ length: 25 }, String));
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toBe("… and 5 more");
});
