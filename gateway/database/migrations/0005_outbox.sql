CREATE TABLE "outbox" (
	"exam_id" text PRIMARY KEY NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"since_ms" bigint NOT NULL,
	"due_at_ms" bigint NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"why" text,
	"there" boolean DEFAULT false NOT NULL,
	"sender" text,
	"nonce" bigint,
	"in_flight" boolean DEFAULT false NOT NULL,
	"sent_at_ms" bigint,
	"sendings" integer DEFAULT 0 NOT NULL,
	"max_fee" numeric(78, 0),
	"priority_fee" numeric(78, 0)
);
--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_exam_id_exams_exam_id_fk" FOREIGN KEY ("exam_id") REFERENCES "public"."exams"("exam_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_one_in_flight" ON "outbox" USING btree ("sender") WHERE "outbox"."in_flight";--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("due_at_ms");