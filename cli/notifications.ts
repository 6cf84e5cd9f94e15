/** Whom `notify` told of a build, in a line each. */
import type { Notification } from "#api/endpoints/build-records.ts";
import { age, paint } from "./output.ts";

const mostShown = 10;

/** The newest; nothing where nobody is told. */
export function renderNotifications(notifications: readonly Notification[]): string[] {
  const more = notifications.length - mostShown;
  return [
    ...notifications.slice(0, mostShown).map((each) => `  ${renderNotification(each)}`),
    ...(more > 0 ? [paint("dim", `    … and ${more} older ones`)] : []),
  ];
}

function renderNotification({ address, state, tries, status, error, triedAt, nextAt }: Notification): string {
  const words = {
    delivered: `${paint("green", "told")} ${address}`,
    waiting: `${paint("yellow", tries === 0 ? "tells" : "did not tell")} ${address}`,
    "given-up": `${paint("red", "gave up telling")} ${address}`,
  };
  const facts = [
    ...(error === null ? (status === null ? [] : [`it answered ${status}`]) : [error]),
    ...(tries > 1 ? [`${tries} tries`] : []),
    ...(triedAt === null ? [] : [`${age(triedAt)} ago`]),
    ...(nextAt === null ? [] : [`again at ${nextAt.slice(0, 16).replace("T", " ")} UTC`]),
  ];
  return `${words[state]}${facts.length > 0 ? paint("dim", `  ${facts.join(", ")}`) : ""}`;
}
