import type { Notifier } from "#drivers/notifier/contract.ts";
import {
  maskedBody,
  maskedHeaders,
  maskedUrl,
  outgoing,
  type Variables,
  type WebhookRequest,
} from "../core/webhook.ts";
import { type AllowedHosts, allowedTo } from "./hosts.ts";

export interface Done {
  success: boolean;
  /** As people may read it. */
  request: { method: string; url: string; headers: Record<string, string>; body: string };
  response?: { status: number; body?: string };
  /** Why there is no response. */
  error?: string;
  /** All of it in lines. */
  log: string;
}

const longestBody = 2_000;
const cut = (text: string) => (text.length > longestBody ? `${text.slice(0, longestBody)}…` : text);

/** Makes the call once. The rules are asked again each time: they may have become narrower. */
export async function postOnce(
  { notifier, hosts }: { notifier: Notifier; hosts: AllowedHosts },
  { request, variables }: { request: WebhookRequest; variables: Variables },
): Promise<Done> {
  const { url, headers, body } = outgoing(request, variables);
  const masked = maskedBody(body);
  const told = {
    ...{ method: request.method, url: maskedUrl(url), headers: maskedHeaders(headers) },
    body: cut(typeof masked === "string" ? masked : JSON.stringify(masked)),
  };
  const answer = await send();
  const lines = [
    `${told.method} ${told.url}`,
    ...Object.entries(told.headers).map(([name, value]) => `${name}: ${value}`),
    ...(told.body === "" ? [] : [told.body]),
    ...("error" in answer ? [`error: ${answer.error}`] : [`answer: ${answer.response.status}`]),
    ...("response" in answer ? [answer.response.body ?? hiddenAnswer] : []),
  ];
  const success = "response" in answer && answer.response.status >= 200 && answer.response.status < 300;
  return { success, request: told, ...answer, log: `${lines.join("\n")}\n` };

  async function send(): Promise<{ response: { status: number; body?: string } } | { error: string }> {
    const allowed = allowedTo(request.url, hosts);
    if (typeof allowed === "string") return { error: allowed };
    try {
      const { status, body: text } = await notifier.post({ url, headers, body, reach: allowed.reach });
      return { response: { status, ...(allowed.isNamed ? { body: cut(text) } : {}) } };
    } catch (error) {
      return { error: cut(error instanceof Error ? error.message : String(error)) };
    }
  }
}

/** What any server answers is shown to nobody: a webhook would be a way to read what only the platform can reach. */
const hiddenAnswer = "(what it answered is shown of hosts that TOWLINE_WEBHOOK_HOSTS names)";
