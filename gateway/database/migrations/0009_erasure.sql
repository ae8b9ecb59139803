CREATE TABLE "withheld_studies" (
	"tag" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE INDEX "exams_erasing" ON "exams" USING btree ("exam_id") WHERE "exams"."state" = 'erasing';
--> statement-breakpoint
-- The planner keeps samples of columns (pg_statistic), which outlive the rows. Of what an erasure destroys it keeps none:
-- a type that is set again drops those that there are.
ALTER TABLE "exams"
	ALTER COLUMN "study_instance_uid" SET DATA TYPE text, ALTER COLUMN "study_instance_uid" SET STATISTICS 0,
	ALTER COLUMN "salt" SET DATA TYPE text, ALTER COLUMN "salt" SET STATISTICS 0,
	ALTER COLUMN "commitment" SET DATA TYPE text, ALTER COLUMN "commitment" SET STATISTICS 0,
	ALTER COLUMN "manifest_root" SET DATA TYPE text, ALTER COLUMN "manifest_root" SET STATISTICS 0,
	ALTER COLUMN "contents" SET DATA TYPE text, ALTER COLUMN "contents" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "exam_series"
	ALTER COLUMN "series_instance_uid" SET DATA TYPE text, ALTER COLUMN "series_instance_uid" SET STATISTICS 0,
	ALTER COLUMN "commitment" SET DATA TYPE text, ALTER COLUMN "commitment" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "manifest_instances"
	ALTER COLUMN "series_instance_uid" SET DATA TYPE text, ALTER COLUMN "series_instance_uid" SET STATISTICS 0,
	ALTER COLUMN "sop_instance_uid" SET DATA TYPE text, ALTER COLUMN "sop_instance_uid" SET STATISTICS 0,
	ALTER COLUMN "digests" SET DATA TYPE text[], ALTER COLUMN "digests" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "enrolments"
	ALTER COLUMN "patient_id" SET DATA TYPE text, ALTER COLUMN "patient_id" SET STATISTICS 0,
	ALTER COLUMN "issuer" SET DATA TYPE text, ALTER COLUMN "issuer" SET STATISTICS 0,
	ALTER COLUMN "salt" SET DATA TYPE text, ALTER COLUMN "salt" SET STATISTICS 0,
	ALTER COLUMN "signature" SET DATA TYPE text, ALTER COLUMN "signature" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "envelope_keys"
	ALTER COLUMN "key" SET DATA TYPE text, ALTER COLUMN "key" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "blinded_grantees"
	ALTER COLUMN "sealed" SET DATA TYPE text, ALTER COLUMN "sealed" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "emergency_readers"
	ALTER COLUMN "sealed" SET DATA TYPE text, ALTER COLUMN "sealed" SET STATISTICS 0;
