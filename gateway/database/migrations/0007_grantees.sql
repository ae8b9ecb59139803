CREATE TABLE "blinded_grantees" (
	"patient" text NOT NULL,
	"grantee" text NOT NULL,
	"reader_tag" text NOT NULL,
	"sealed" text NOT NULL,
	CONSTRAINT "blinded_grantees_patient_grantee_pk" PRIMARY KEY("patient","grantee")
);
--> statement-breakpoint
CREATE INDEX "blinded_grantees_reader" ON "blinded_grantees" USING btree ("reader_tag");