ALTER TABLE "ledger_events" ALTER COLUMN "nonce" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger_events" ADD COLUMN "position" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger_events" DROP CONSTRAINT "ledger_events_block_hash_log_index_pk";--> statement-breakpoint
ALTER TABLE "ledger_events" ADD CONSTRAINT "ledger_events_block_hash_log_index_position_pk" PRIMARY KEY("block_hash","log_index","position");