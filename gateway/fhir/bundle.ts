/** Answers to searches (R4, 3.1.1.5): Bundles of type searchset. */
import type { Bundle, BundleLink, FhirResource } from "fhir/r4.js";

/** What a search found, each under its own URL. @param root absolute URL of the resource type */
export function searchset(
  root: string,
  link: BundleLink[],
  found: readonly (FhirResource & { id?: string })[],
): Bundle {
  return {
    resourceType: "Bundle",
    type: "searchset",
    link,
    entry: found.map((resource) => ({
      fullUrl: `${root}/${resource.id}`,
      resource,
      search: { mode: "match" },
    })),
  };
}
