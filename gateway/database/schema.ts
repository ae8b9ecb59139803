/**
 * The gateway's tables. One dialect: PostgreSQL, or PGlite in this process.
 * Addresses and hashes are lower-case text with `0x`; times are whole seconds since 1970-01-01 UTC
 * except where a name says otherwise.
 */
export * from "./schema/audit.ts";
export * from "./schema/exams.ts";
export * from "./schema/gateway.ts";
export * from "./schema/ledger.ts";
export * from "./schema/people.ts";
export * from "./schema/relay.ts";
export * from "./schema/sessions.ts";
