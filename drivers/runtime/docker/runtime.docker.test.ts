import { createRuntimeBed } from "#testing/runtime-bed.ts";
import { runtimeConformance } from "../conformance.ts";

runtimeConformance("Docker", createRuntimeBed);
