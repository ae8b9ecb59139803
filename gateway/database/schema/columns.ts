/** Columns that tables of all rooms have. */
import { bigint, text } from "drizzle-orm/pg-core";
import type { Hex } from "../../../protocol/hash.ts";

export const hex = (name: string) => text(name).$type<Hex>();
export const seconds = (name: string) => bigint(name, { mode: "number" });
