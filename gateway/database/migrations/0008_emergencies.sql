CREATE TABLE "emergency_events" (
	"block_hash" text NOT NULL,
	"log_index" integer NOT NULL,
	"block_number" bigint NOT NULL,
	"block_time" bigint NOT NULL,
	"kind" text NOT NULL,
	"exam_id" text NOT NULL,
	"reader" text NOT NULL,
	"badge" text,
	"second" text,
	"reason" text,
	"until" bigint,
	CONSTRAINT "emergency_events_block_hash_log_index_pk" PRIMARY KEY("block_hash","log_index")
);
--> statement-breakpoint
CREATE TABLE "emergency_readers" (
	"reader" text PRIMARY KEY NOT NULL,
	"exam_id" text NOT NULL,
	"reader_tag" text NOT NULL,
	"sealed" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "practitioners" ADD COLUMN "badge" text;--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "emergency" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "emergency_events_exam" ON "emergency_events" USING btree ("exam_id");--> statement-breakpoint
CREATE INDEX "emergency_events_reader" ON "emergency_events" USING btree ("reader");--> statement-breakpoint
CREATE INDEX "emergency_events_block" ON "emergency_events" USING btree ("block_number");--> statement-breakpoint
CREATE INDEX "emergency_readers_tag" ON "emergency_readers" USING btree ("reader_tag");--> statement-breakpoint
ALTER TABLE "practitioners" ADD CONSTRAINT "practitioners_badge_unique" UNIQUE("badge");