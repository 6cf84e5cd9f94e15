import fc from "fast-check";
import { expect, test } from "vitest";
import { createMasker, formsOf, mask, maskText } from "./masking.ts";

function maskChunks(secrets: string[], chunks: Buffer[]): string {
  const masker = createMasker(secrets);
  return Buffer.concat([...chunks.map((chunk) => masker.push(chunk)), masker.flush()]).toString("utf8");
}

function cut(bytes: Buffer, lengths: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let from = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(from, from + length));
    from += length;
  }
  return [...chunks, bytes.subarray(from)];
}

// Few letters, so that secrets overlap, nest and nearly match as often as possible.
const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "\n", "é"), minLength: 0, maxLength: 7 });
const secretList = fc.array(word, { maxLength: 4 });
const output = (secrets: string[]) =>
  fc.array(fc.oneof(word, ...secrets.flatMap(formsOf).map((form) => fc.constant(form))), { maxLength: 12 });
const scene = secretList.chain((secrets) =>
  fc.record({
    secrets: fc.constant(secrets),
    text: output(secrets).map((parts) => parts.join("")),
    cuts: fc.array(fc.nat(9), { maxLength: 20 }),
  }),
);

test("however the output is cut into chunks, the masked text is the same", () => {
  fc.assert(
    fc.property(scene, ({ secrets, text, cuts }) => {
      expect(maskChunks(secrets, cut(Buffer.from(text), cuts))).toBe(maskText(secrets, text));
    }),
    { numRuns: 500 },
  );
});

test("no form of a secret is left in the output", () => {
  fc.assert(
    fc.property(scene, ({ secrets, text, cuts }) => {
      const masked = maskChunks(secrets, cut(Buffer.from(text), cuts));
      for (const form of secrets.flatMap(formsOf)) expect(masked).not.toContain(form);
    }),
    { numRuns: 500 },
  );
});

test("a secret that is added on the way is hidden from there on, however the output is cut", () => {
  const live = scene.chain((given) => fc.record({ given: fc.constant(given), late: word, split: fc.nat(20) }));
  fc.assert(
    fc.property(live, ({ given: { secrets, text, cuts }, late, split }) => {
      const masker = createMasker(secrets);
      const chunks = cut(Buffer.from(text + late + text), cuts);
      const at = Math.min(split, chunks.length);
      const before = Buffer.concat(chunks.slice(0, at).map((chunk) => masker.push(chunk)));
      masker.add(late);
      const after = Buffer.concat([...chunks.slice(at).map((chunk) => masker.push(chunk)), masker.flush()]);
      for (const form of formsOf(late))
        expect(after.toString("latin1")).not.toContain(Buffer.from(form).toString("latin1"));
      const whole = Buffer.concat([before, after]).toString();
      for (const form of secrets.flatMap(formsOf)) expect(whole).not.toContain(form);
    }),
    { numRuns: 500 },
  );
});

test("a secret as a shell traces it, and in hexadecimal, is hidden", () => {
  const secret = `it's "all" $mine`;
  for (const traced of [`it'\\''s "all" $mine`, `it\\'s\\ \\"all\\"\\ \\$mine`, `it's \\"all\\" \\$mine`])
    expect(maskText([secret], `+ echo ${traced}`)).toBe(`+ echo ${mask}`);
  expect(maskText([secret], Buffer.from(secret).toString("hex"))).toBe(mask);
});

test("a matcher with more states than tables finds what one with few finds", () => {
  const key = Buffer.from(Array.from({ length: 3_000 }, (_, at) => (at * 7919) % 251)).toString("base64");
  const lines = key.match(/.{64}/g) ?? [];
  const text = `begin\n${lines.join("\n")}\nend ${lines[7]} ${lines[20]?.slice(0, 40)}\n`;
  const masked = maskText([lines.join("\n")], text);
  expect(masked).toBe(`begin\n${mask}\nend ${mask} ${lines[20]?.slice(0, 40)}\n`);
});

test("text beside secrets stays as it is, byte for byte", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const masker = createMasker(["never-in-random-bytes"]);
      expect(Buffer.concat([masker.push(Buffer.from(bytes)), masker.flush()])).toEqual(Buffer.from(bytes));
    }),
  );
});

test("text that cannot become a secret any more is passed on at once", () => {
  const masker = createMasker(["hunter22"]);
  expect(masker.push(Buffer.from("password: hunt")).toString()).toBe("password: ");
  expect(masker.push(Buffer.from("ing\n")).toString()).toBe("hunting\n");
});

test("overlapping and adjacent secrets become one mask that hides their number and length", () => {
  expect(maskText(["abcd", "cdef"], "xabcdefx")).toBe(`x${mask}x`);
  expect(maskText(["abcd"], "xabcdabcdx")).toBe(`x${mask}x`);
});

test("the longest secret wins where one holds another", () => {
  expect(maskText(["pass", "password1"], "my password1!")).toBe(`my ${mask}!`);
});

test("a secret of several lines is hidden whole, line by line, and with other line ends", () => {
  const key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n}\n-----END KEY-----\n";
  expect(maskText([key], `key=${key}.`)).toBe(`key=${mask}.`);
  expect(maskText([key], "  MIIEvQIBADANBgkq\r\n }")).toBe(`  ${mask}\r\n }`);
  expect(maskText([key], JSON.stringify({ key }))).toBe(`{"key":"${mask}"}`);
});

test("base64 of a secret is hidden, alone and inside basic authentication", () => {
  const basic = (user: string) => Buffer.from(`${user}:correct horse`).toString("base64");
  const masked = maskText(["correct horse"], ["a", "bo", "eve"].map(basic).join("\n"));
  for (const line of masked.split("\n")) expect(line).toMatch(/^[A-Za-z0-9]{2,6}\*\*\*[A-Za-z0-9=]{0,2}$/);
  expect(maskText(["s3cr?t>>s3cr?t"], Buffer.from("s3cr?t>>s3cr?t").toString("base64url"))).toBe(mask);
});

test("a secret in a URL is hidden", () => {
  expect(maskText(["p@ss w/rd"], "postgres://u:p%40ss%20w%2Frd@db p%40ss+w%2frd")).toBe(
    `postgres://u:${mask}@db ${mask}`,
  );
});

test("secrets under the minimal length are left alone", () => {
  expect(maskText(["abc", ""], "abc abc")).toBe("abc abc");
});
