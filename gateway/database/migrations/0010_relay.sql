CREATE TABLE "relay_slots" (
	"relay_id" text NOT NULL,
	"patient" text NOT NULL,
	"resource" text,
	"grantee" text,
	"nonce" bigint NOT NULL,
	"closes" boolean NOT NULL,
	"is_taken" boolean DEFAULT true NOT NULL
);
--> statement-breakpoint
CREATE TABLE "relays" (
	"id" text PRIMARY KEY NOT NULL,
	"digest" text NOT NULL,
	"patient" text NOT NULL,
	"act" text NOT NULL,
	"data" text NOT NULL,
	"factory" text,
	"factory_data" text,
	"since_ms" bigint NOT NULL,
	"due_at_ms" bigint NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"reason" text,
	"is_settled" boolean DEFAULT false NOT NULL,
	"sender" text,
	"nonce" bigint,
	"gas" bigint,
	"max_fee" numeric(78, 0),
	"priority_fee" numeric(78, 0),
	"sent_at_ms" bigint,
	"sendings" integer DEFAULT 0 NOT NULL,
	"hashes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"block" bigint,
	"transaction" text,
	"gas_reserved" bigint NOT NULL,
	"gas_spent" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "relays_digest_unique" UNIQUE("digest")
);
--> statement-breakpoint
ALTER TABLE "relay_slots" ADD CONSTRAINT "relay_slots_relay_id_relays_id_fk" FOREIGN KEY ("relay_id") REFERENCES "public"."relays"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "relay_slots_patient" ON "relay_slots" USING btree ("patient");--> statement-breakpoint
CREATE INDEX "relay_slots_relay" ON "relay_slots" USING btree ("relay_id");--> statement-breakpoint
CREATE UNIQUE INDEX "relay_slots_one_nonce" ON "relay_slots" USING btree ("patient","resource","grantee","nonce") WHERE "relay_slots"."is_taken";--> statement-breakpoint
CREATE UNIQUE INDEX "relays_one_nonce" ON "relays" USING btree ("sender","nonce");--> statement-breakpoint
CREATE INDEX "relays_open" ON "relays" USING btree ("since_ms") WHERE not "relays"."is_settled";--> statement-breakpoint
CREATE INDEX "relays_patient" ON "relays" USING btree ("patient","since_ms");