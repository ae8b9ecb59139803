export * from "./addresses.ts";
export * from "./dates.ts";
export * from "./emergencies.ts";
export * from "./imaging.ts";
export * from "./problems.ts";
export * from "./terms.ts";
