/** Which pointers are in force. */
import { and, ne } from "drizzle-orm";
import { exams } from "../database/schema.ts";

/** On the ledger or about to be: neither retired nor being erased. */
export const isLive = and(ne(exams.state, "retired"), ne(exams.state, "erasing"));
