CREATE TABLE "audit_counter" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"last" bigint NOT NULL,
	CONSTRAINT "audit_counter_is_one_row" CHECK ("audit_counter"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "binding" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"chain_id" bigint NOT NULL,
	"genesis_hash" text NOT NULL,
	"consent_ledger" text NOT NULL,
	"custodian" text NOT NULL,
	CONSTRAINT "binding_is_one_row" CHECK ("binding"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "contract_sessions" (
	"session_id" text PRIMARY KEY NOT NULL,
	"address" text NOT NULL,
	"message" text NOT NULL,
	"signature" text NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "decisions" (
	"seq" bigint PRIMARY KEY NOT NULL,
	"decided_at_ms" bigint NOT NULL,
	"caller" text NOT NULL,
	"token_id" text NOT NULL,
	"purpose" text NOT NULL,
	"action" text NOT NULL,
	"route" text NOT NULL,
	"permitted" boolean NOT NULL,
	"reason" text NOT NULL,
	"exam_id" text,
	"shown" jsonb,
	"chain_id" bigint NOT NULL,
	"block_number" bigint,
	"block_hash" text
);
--> statement-breakpoint
CREATE TABLE "enrolments" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "enrolments_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"patient_id" text NOT NULL,
	"issuer" text NOT NULL,
	"patient" text NOT NULL,
	"salt" text NOT NULL,
	"issued_at" bigint NOT NULL,
	"signature" text NOT NULL,
	"ended_at" bigint
);
--> statement-breakpoint
CREATE TABLE "exam_series" (
	"resource" text PRIMARY KEY NOT NULL,
	"exam_id" text NOT NULL,
	"series_instance_uid" text NOT NULL,
	"commitment" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "exams" (
	"exam_id" text PRIMARY KEY NOT NULL,
	"enrolment_id" integer NOT NULL,
	"study_instance_uid" text NOT NULL,
	"patient" text NOT NULL,
	"salt" text NOT NULL,
	"commitment" text NOT NULL,
	"manifest_root" text NOT NULL,
	"contents" text NOT NULL,
	"state" text NOT NULL,
	"first_genesis_hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "followed_blocks" (
	"number" bigint PRIMARY KEY NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger_events" (
	"block_hash" text NOT NULL,
	"log_index" integer NOT NULL,
	"block_number" bigint NOT NULL,
	"block_time" bigint NOT NULL,
	"kind" text NOT NULL,
	"patient" text NOT NULL,
	"resource" text,
	"grantee" text,
	"terms" text,
	"nonce" bigint NOT NULL,
	"orphaned" boolean DEFAULT false NOT NULL,
	CONSTRAINT "ledger_events_block_hash_log_index_pk" PRIMARY KEY("block_hash","log_index")
);
--> statement-breakpoint
CREATE TABLE "nonces" (
	"nonce" text PRIMARY KEY NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "practitioners" (
	"address" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"name" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "exam_series" ADD CONSTRAINT "exam_series_exam_id_exams_exam_id_fk" FOREIGN KEY ("exam_id") REFERENCES "public"."exams"("exam_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exams" ADD CONSTRAINT "exams_enrolment_id_enrolments_id_fk" FOREIGN KEY ("enrolment_id") REFERENCES "public"."enrolments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "decisions_exam" ON "decisions" USING btree ("exam_id","seq");--> statement-breakpoint
CREATE INDEX "decisions_caller" ON "decisions" USING btree ("caller");--> statement-breakpoint
CREATE UNIQUE INDEX "enrolments_one_live" ON "enrolments" USING btree ("patient_id","issuer") WHERE "enrolments"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "enrolments_patient" ON "enrolments" USING btree ("patient");--> statement-breakpoint
CREATE INDEX "exam_series_exam" ON "exam_series" USING btree ("exam_id");--> statement-breakpoint
CREATE UNIQUE INDEX "exams_one_live_pointer" ON "exams" USING btree ("study_instance_uid") WHERE "exams"."state" <> 'retired';--> statement-breakpoint
CREATE INDEX "exams_patient" ON "exams" USING btree ("patient");--> statement-breakpoint
CREATE INDEX "ledger_events_grantee" ON "ledger_events" USING btree ("grantee","resource");--> statement-breakpoint
CREATE INDEX "ledger_events_patient" ON "ledger_events" USING btree ("patient","resource");--> statement-breakpoint
CREATE INDEX "ledger_events_block" ON "ledger_events" USING btree ("block_number");