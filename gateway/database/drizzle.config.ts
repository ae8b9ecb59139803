import { defineConfig } from "drizzle-kit";

/** For `npx drizzle-kit generate --config gateway/database/drizzle.config.ts` after a change of the schema. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./gateway/database/schema.ts",
  out: "./gateway/database/migrations",
});
