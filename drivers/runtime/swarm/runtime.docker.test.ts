import { whyNoOwnEngine } from "#testing/own-engine.ts";
import { createSwarmBed } from "#testing/swarm-bed.ts";
import { runtimeConformance } from "../conformance.ts";

runtimeConformance("Docker Swarm", () => createSwarmBed(), await whyNoOwnEngine());
