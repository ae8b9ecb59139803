export * from "./addresses.ts";
export * from "./dates.ts";
export * from "./imaging.ts";
export * from "./problems.ts";
export * from "./terms.ts";
