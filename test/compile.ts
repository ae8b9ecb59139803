/** Vitest's global setup: the contracts that tests deploy are those of the sources at hand. */
export { compileContracts as default } from "../scripts/chain.ts";
