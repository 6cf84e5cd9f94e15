/** What a webhook sends: its template, what is filled in, and what of it people may read. Names and rules are the Pact Broker's. */
import { isObject, type Json, parseJson } from "./content.ts";

export const webhookEvents = [
  "contract_published",
  "contract_content_changed",
  "contract_requiring_verification_published",
  "provider_verification_published",
  "provider_verification_succeeded",
  "provider_verification_failed",
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export interface WebhookRequest {
  method: "POST";
  /** May hold variables behind its host. */
  url: string;
  headers: Record<string, string>;
  body: Json;
  username?: string;
  password?: string;
}

export const variableNames = [
  ...(["consumerName", "consumerVersionNumber", "consumerVersionBranch", "consumerVersionTags"] as const),
  ...(["consumerLabels", "providerName", "providerVersionNumber", "providerVersionBranch"] as const),
  ...(["providerVersionTags", "providerLabels", "providerVersionDescriptions", "pactUrl"] as const),
  ...(["verificationResultUrl", "githubVerificationStatus", "bitbucketVerificationStatus"] as const),
  ...(["azureDevOpsVerificationStatus", "providerMainBranchGithubVerificationStatus", "eventName"] as const),
  "currentlyDeployedProviderVersionNumber",
] as const;
/** By name without `pactbroker.`; what is not known is empty. */
export type Variables = Partial<Record<(typeof variableNames)[number], string>>;

const variable = /\$\{pactbroker\.(\w+)\}/g;

/** Whether a variable stands anywhere in the request. */
export const uses = (request: WebhookRequest, name: (typeof variableNames)[number]): boolean =>
  JSON.stringify(request).includes(`\${pactbroker.${name}}`);

/** A variable that there is not stays as it is written. */
function fill(text: string, variables: Variables, written: (value: string) => string = (value) => value): string {
  return text.replaceAll(variable, (whole, name: string) =>
    (variableNames as readonly string[]).includes(name) ? written(variables[name as keyof Variables] ?? "") : whole,
  );
}

/** The address with variables filled in, which change nothing but the part in which they stand. */
export const addressOf = (url: string, variables: Variables): string => fill(url, variables, encodeURIComponent);

export interface Outgoing {
  url: string;
  headers: Record<string, string>;
  body: string;
}

export function outgoing({ url, headers, body, username, password }: WebhookRequest, variables: Variables): Outgoing {
  const filled = Object.entries(headers).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    fill(value, variables),
  ]);
  const isJson = body !== null && typeof body !== "string";
  return {
    url: addressOf(url, variables),
    headers: {
      ...(isJson ? { "content-type": "application/json" } : {}),
      ...(username === undefined ? {} : { authorization: basic(username, password ?? "") }),
      ...Object.fromEntries(filled),
    },
    body: bodyText(body, variables),
  };
}

const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

/** Values go into JSON as JSON, so that a name with a quotation mark breaks nothing. */
function bodyText(body: Json, variables: Variables): string {
  if (body === null) return "";
  if (typeof body !== "string") return fill(JSON.stringify(body), variables, inJson);
  return fill(body, variables, "value" in parseJson(body) ? inJson : undefined);
}

const inJson = (value: string) => JSON.stringify(value).slice(1, -1);

export const hidden = "**********";
const secretName = /authorization|cookie|token|secret|passw|api[-_]?key|credential|signature/i;

export const maskedHeaders = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secretName.test(name) ? hidden : value]));

/** Without what the names in its query call a secret. */
export const maskedUrl = (url: string): string =>
  url.replaceAll(/([?&])([^=&#]+)=([^&#]*)/g, (whole, before: string, name: string) =>
    secretName.test(name) ? `${before}${name}=${hidden}` : whole,
  );

export function maskedBody(body: Json): Json {
  if (Array.isArray(body)) return body.map(maskedBody);
  if (isObject(body))
    return Object.fromEntries(
      Object.entries(body).map(([key, value]) => [
        key,
        secretName.test(key) && typeof value === "string" ? hidden : maskedBody(value),
      ]),
    );
  if (typeof body !== "string") return body;
  return body.replaceAll(/([\w-]+)(["']?\s*[=:]\s*["']?)([^\s"'&,}]+)/g, (whole, name: string, between: string) =>
    secretName.test(name) ? `${name}${between}${hidden}` : whole,
  );
}

/** As people may read it. */
export function shown({ method, url, headers, body, username, password }: WebhookRequest): WebhookRequest {
  return {
    ...{ method, url: maskedUrl(url), headers: maskedHeaders(headers), body: maskedBody(body) },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: hidden }),
  };
}

/** What somebody sends back as it was shown keeps the secrets that were there. */
export function withKept(given: WebhookRequest, before: WebhookRequest | undefined): WebhookRequest {
  if (!before) return given;
  const old = shown(before);
  const headers = Object.entries(given.headers).map(([name, value]): [string, string] => [
    name,
    value === hidden ? (before.headers[name] ?? value) : value,
  ]);
  const { password } = given.password === hidden ? before : given;
  return {
    ...given,
    url: given.url === old.url ? before.url : given.url,
    headers: Object.fromEntries(headers),
    body: JSON.stringify(given.body) === JSON.stringify(old.body) ? before.body : given.body,
    ...(password === undefined ? {} : { password }),
  };
}

const pausesSeconds = [10, 60, 120, 300, 600, 1200];

/** Seconds until the next try after so many; undefined when it is given up. */
export const pauseAfter = (tries: number): number | undefined => pausesSeconds[tries - 1];
