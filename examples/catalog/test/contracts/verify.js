/** Asks this service what the pacts of others in `pacts/` ask, and writes what came of each to `pacts/results/`. */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";

const base = process.argv[2];

const kindOf = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
const show = (value) => (value === undefined ? "nothing" : JSON.stringify(value));
const mismatch = (attribute, identifier, description) => ({ attribute, identifier, description });

// Without the folder for results nobody asks.
for (const name of existsSync("pacts/results") ? await readdir("pacts") : []) {
  if (!name.endsWith(".json")) continue;
  const pact = JSON.parse(await readFile(`pacts/${name}`, "utf8"));
  const testResults = await Promise.all(pact.interactions.map(verify));
  const success = testResults.every((result) => result.success);
  const verifiedBy = { implementation: "catalog", version: "1" };
  await writeFile(`pacts/results/${name}`, JSON.stringify({ success, verifiedBy, testResults }));
  console.log(`${success ? "keeps" : "BREAKS"} its contract with ${pact.consumer.name}`);
  for (const { mismatches } of testResults) for (const { identifier, description } of mismatches) console.log(`  ${identifier}: ${description}`);
}

async function verify({ _id, description, request, response }) {
  const url = new URL(request.path, base);
  const answer = await fetch(url, { method: request.method, headers: request.headers, body: request.body && JSON.stringify(request.body) });
  const body = await answer.json();
  const mismatches = [
    ...(answer.status === response.status ? [] : [mismatch("status", "status", `expected ${response.status}, got ${answer.status}`)]),
    ...(response.body === undefined ? [] : differences(response.body, body, "$", response.matchingRules ?? {})),
  ];
  return { interactionId: _id, interactionDescription: description, success: mismatches.length === 0, mismatches };
}

/** By type where a rule of this place or one above says so, otherwise by value. More than what is expected is no difference. */
function differences(expected, actual, path, rules, above = false) {
  const byType = above || rules[path.replace("$", "$.body")]?.match === "type";
  if (kindOf(expected) !== kindOf(actual)) return [mismatch("body", path, `expected ${show(expected)}, got ${show(actual)}`)];
  if (Array.isArray(expected)) {
    if (!byType && expected.length !== actual.length) return [mismatch("body", path, `expected ${expected.length} items, got ${actual.length}`)];
    return actual.flatMap((each, index) => (expected.length === 0 ? [] : differences(expected[byType ? 0 : index], each, `${path}[${index}]`, rules, byType)));
  }
  if (kindOf(expected) === "object")
    return Object.keys(expected).flatMap((key) => differences(expected[key], actual[key], `${path}.${key}`, rules, byType));
  return byType || expected === actual ? [] : [mismatch("body", path, `expected ${show(expected)}, got ${show(actual)}`)];
}
