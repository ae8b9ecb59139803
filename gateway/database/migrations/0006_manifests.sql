CREATE TABLE "manifest_instances" (
	"exam_id" text NOT NULL,
	"series_instance_uid" text NOT NULL,
	"sop_instance_uid" text NOT NULL,
	"digests" text[] NOT NULL,
	CONSTRAINT "manifest_instances_exam_id_sop_instance_uid_pk" PRIMARY KEY("exam_id","sop_instance_uid")
);
--> statement-breakpoint
ALTER TABLE "manifest_instances" ADD CONSTRAINT "manifest_instances_exam_id_exams_exam_id_fk" FOREIGN KEY ("exam_id") REFERENCES "public"."exams"("exam_id") ON DELETE no action ON UPDATE no action;