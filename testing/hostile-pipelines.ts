/** Pipeline files that are made to hurt whoever reads them, by what they try; each with the code of the fault that names its limit. */

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const lines = (count: number, line: (index: number) => string): string => numbers(count).map(line).join("");

/** Nine levels of nine: 387 million values behind 200 characters. */
const aliasBomb = `a: &a [${"x,".repeat(9)}]\n${lines(8, (level) => {
  const [above = "", name = ""] = ["abcdefgh"[level], "bcdefghi"[level]];
  return `${name}: &${name} [${`*${above},`.repeat(9)}]\n`;
})}steps: *i`;

const list = (count: number): string => `[${numbers(count).join(",")}]`;

export const hostilePipelines: Record<string, { text: () => string; code: string | undefined }> = {
  "ten megabytes": { text: () => "- wait\n".repeat(1_500_000), code: "yaml.limit" },
  "an alias bomb": { text: () => aliasBomb, code: "yaml.limit" },
  "brackets in brackets": { text: () => "[".repeat(100_000), code: "yaml.limit" },
  "indentation in indentation": { text: () => lines(1000, (level) => `${" ".repeat(level)}a:\n`), code: "yaml.limit" },
  "more values than anybody has": {
    text: () => lines(30_000, (index) => `- { bake${index}: x }\n`),
    code: "yaml.limit",
  },
  "keys that nobody knows": {
    text: () => `- { command: x, ${lines(15_000, (index) => `k${index}: 1, `)}}`,
    code: undefined,
  },
  "half a million dollars": { text: () => `- command: "${"$".repeat(500_000)}"`, code: undefined },
  "defaults in defaults": { text: () => `- command: "${"${A:-".repeat(100_000)}"`, code: "pipeline.interpolation" },
  "a variable that doubles itself": {
    text: () => `env: { V0: ${"a".repeat(1000)}, ${lines(40, (index) => `V${index + 1}: "$V${index}$V${index}", `)} }`,
    code: "pipeline.interpolation",
  },
  "ends taken off again and again": {
    text: () => `env: { V: ${"ab".repeat(4999)} }\nsteps: [{ command: "${"${V%%c*}".repeat(100_000)}" }]`,
    code: "pipeline.interpolation",
  },
  "nothing cut from much": {
    text: () => `env: { V: ${"ab".repeat(100_000)} }\nsteps: [{ command: "${"${V:0:0}".repeat(80_000)}" }]`,
    code: undefined,
  },
  "a matrix of long values in a long command": {
    text: () =>
      `- { command: "${"{{matrix}}".repeat(90_000)}", matrix: [${numbers(50)
        .map((index) => String(index).padStart(300, "x"))
        .join()}] }`,
    code: "pipeline.limit",
  },
  "matrices times parallelism": {
    text: () => lines(400, () => `- { command: "{{matrix}}", matrix: ${list(50)}, parallelism: 100 }\n`),
    code: "pipeline.limit",
  },
  "the same in one group": {
    text: () =>
      `- { group: g, steps: [${lines(400, () => `{ command: x, matrix: ${list(50)}, parallelism: 100 },`)}] }`,
    code: "pipeline.limit",
  },
  "one long command that all steps share": {
    text: () => `x: &x { command: ${"y".repeat(900_000)} }\nsteps: [${"*x,".repeat(400)}]`,
    code: "pipeline.interpolation",
  },
  "one long variable that all jobs share": {
    text: () => `env: { A: ${"y".repeat(900_000)} }\nsteps: [${"{ command: a },".repeat(400)}]`,
    code: "pipeline.limit",
  },
  "regular expressions without end": {
    text: () =>
      lines(400, (index) => `- { command: x, if: "${"build.message =~ /(a|b|c)*d/ || ".repeat(40)}${index}" }\n`),
    code: "pipeline.limit",
  },
  "patterns of paths without end": {
    text: () => `- { command: x, if_changed: [${lines(200, (index) => `"${"{a,b}".repeat(150)}${index}",`)}] }`,
    code: undefined,
  },
  "everybody waits for everybody": {
    text: () =>
      lines(
        20,
        (index) =>
          `- { group: g, key: g${index}, depends_on: [${numbers(index)
            .map((other) => `g${other}`)
            .join()}], steps: [{ command: x, parallelism: 24 }] }\n`,
      ),
    code: undefined,
  },
  "dependencies that are not there": {
    text: () =>
      `- { command: x, depends_on: [${lines(499, (index) => `zz${index},`)}] }\n${lines(490, (index) => `- { command: x, key: kkkkkkkk${index} }\n`)}`,
    code: "pipeline.unknown-dependency",
  },
};
