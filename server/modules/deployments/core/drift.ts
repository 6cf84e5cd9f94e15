/** What runs against what should run. Pure; in words, for people. */

/** What is known of a container. */
export interface Found {
  name: string;
  deployment: string | undefined;
  service: string | undefined;
  environment: string | undefined;
  image: string;
  state: string;
  address: string | undefined;
  /** The machine with which it was lost. */
  lostWith?: string | undefined;
  /** The machine on which it is and which is to be left. */
  leaving?: string | undefined;
}

export interface Wanted {
  service: string;
  environment: string;
  instances: readonly string[];
  image: string;
  /** Deployments of the service whose containers may be here. */
  known: ReadonlySet<string>;
  /** Host of the slot that has traffic, by instance. */
  slots: ReadonlyMap<string, string>;
}

export interface Drift {
  /** Instances that must be brought back. */
  broken: string[];
  /** Those of them whose container must go first. */
  changed: string[];
  /** One sentence each. */
  words: string[];
}

export function driftOf(wanted: Wanted, found: readonly Found[]): Drift {
  const faults = wanted.instances.flatMap((name) => {
    const instance = found.find((each) => each.name === name);
    const fault = faultOf(wanted, name, instance);
    return fault === undefined
      ? []
      : [{ name, fault, changed: instance !== undefined && instance.image !== wanted.image }];
  });
  const movers = found.filter(({ name, leaving }) => leaving !== undefined && wanted.instances.includes(name));
  const moves = movers.map(
    ({ name, leaving }) => `${name} is to leave the machine ${leaving}: another one comes first`,
  );
  const strangers = found.filter((each) => isStranger(wanted, each)).map(({ name }) => `${name} does not belong here`);
  return {
    // The engine is about to bring it back itself.
    broken: faults
      .filter(({ name }) => found.find((each) => each.name === name)?.state !== "restarting")
      .map(({ name }) => name),
    changed: faults.filter(({ changed }) => changed).map(({ name }) => name),
    words: [...faults.map(({ fault }) => fault), ...moves, ...strangers],
  };
}

function faultOf({ image, slots }: Wanted, name: string, instance: Found | undefined): string | undefined {
  if (!instance) return `${name} is gone`;
  if (instance.image !== image) return `${name} runs another image (${instance.image})`;
  if (instance.lostWith !== undefined)
    return `${name} was lost with the machine ${instance.lostWith}, and starts on another one`;
  if (instance.state !== "running") return `${name} is ${instance.state}`;
  return slots.get(name) === instance.address ? undefined : `${name} does not get its traffic`;
}

function isStranger({ service, environment, known }: Wanted, found: Found): boolean {
  const here = found.service === service && found.environment === environment;
  return here && found.deployment !== undefined && !known.has(found.deployment);
}
