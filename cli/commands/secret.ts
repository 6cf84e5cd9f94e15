import { text } from "node:stream/consumers";
import { isCancel, password } from "@clack/prompts";
import { accepted, age, print, printJson, table } from "../output.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface SecretFlags extends SessionFlags {
  json?: boolean;
  service: string;
  environment: string;
}

/** The value comes from a hidden prompt or from standard input: an argument would stay in the shell's history. */
export async function setSecret(flags: SecretFlags, name: string): Promise<void> {
  const client = await openClient(flags);
  const value = process.stdin.isTTY ? await askValue(name) : (await text(process.stdin)).replace(/\r?\n$/, "");
  const { service, environment } = flags;
  const answer = accepted(await client.setSecret({ body: { service, environment, name, value } }));
  if (flags.json) return printJson(answer);
  print(`${name} is set; instances get it with their next deployment`);
}

async function askValue(name: string): Promise<string> {
  const answer = await password({ message: `Value of ${name}` });
  if (isCancel(answer)) process.exit(2);
  return answer;
}

export async function listSecrets(flags: SecretFlags): Promise<void> {
  const client = await openClient(flags);
  const { secrets } = accepted(await client.listSecrets({}));
  if (flags.json) return printJson({ secrets });
  const rows = secrets.map(({ name, service, environment, updatedAt }) => [name, service, environment, age(updatedAt)]);
  print(table(["NAME", "SERVICE", "ENVIRONMENT", "AGE"], rows));
}

/** Values stay the same; only the key that they are encrypted with is another one. */
export async function rotateKey(flags: SecretFlags): Promise<void> {
  const client = await openClient(flags);
  const answer = accepted(await client.rotateKey({}));
  if (flags.json) return printJson(answer);
  print(`the key is ${answer.key} now, and ${answer.resealed} secrets are encrypted with it`);
}

export async function deleteSecret(flags: SecretFlags, name: string): Promise<void> {
  const client = await openClient(flags);
  const { service, environment } = flags;
  const answer = accepted(await client.deleteSecret({ query: { service, environment, name } }));
  if (flags.json) return printJson(answer);
  print(`${name} is deleted`);
}
