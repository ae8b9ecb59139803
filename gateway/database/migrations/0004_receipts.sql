CREATE TABLE "anchors" (
	"index" integer PRIMARY KEY NOT NULL,
	"root" text NOT NULL,
	"first" bigint NOT NULL,
	"last" bigint NOT NULL,
	"anchored_at" bigint NOT NULL,
	"chunk_roots" jsonb
);
--> statement-breakpoint
CREATE TABLE "envelope_keys" (
	"subject" text PRIMARY KEY NOT NULL,
	"key_id" text NOT NULL,
	"key" text NOT NULL,
	CONSTRAINT "envelope_keys_key_id_unique" UNIQUE("key_id")
);
--> statement-breakpoint
CREATE TABLE "envelopes" (
	"seq" bigint NOT NULL,
	"position" integer NOT NULL,
	"envelope" text NOT NULL,
	"key_id" text GENERATED ALWAYS AS (substr(envelope, 1, 34)) STORED NOT NULL,
	CONSTRAINT "envelopes_seq_position_pk" PRIMARY KEY("seq","position")
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"until" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "receipts" (
	"seq" bigint PRIMARY KEY NOT NULL,
	"decided_at_ms" bigint NOT NULL,
	"purpose" text NOT NULL,
	"action" text NOT NULL,
	"route" text NOT NULL,
	"reason" text NOT NULL,
	"chain_id" bigint NOT NULL,
	"block_number" bigint,
	"block_hash" text,
	"digest" text NOT NULL,
	"signed_from" bigint,
	"signed_at" bigint,
	"signature" text
);
--> statement-breakpoint
CREATE INDEX "envelopes_key" ON "envelopes" USING btree ("key_id","seq");--> statement-breakpoint
INSERT INTO "audit_counter" ("id", "last") VALUES (1, 0) ON CONFLICT DO NOTHING;
