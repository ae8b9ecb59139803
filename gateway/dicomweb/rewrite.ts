/** Making the archive's answers the gateway's: every URL in them points back here, or goes. */
import type { InstanceReference } from "../archive/client.ts";
import { type DicomDataset, type DicomElement, isDataset } from "../archive/dicomJson.ts";
import { tagOf } from "../archive/dictionary.ts";
import { pathOf } from "./address.ts";

const RETRIEVE_URL = tagOf("RetrieveURL");

/** An instance's metadata, its bulk data at this gateway. */
export function rewriteMetadata(
  dataset: DicomDataset,
  instance: InstanceReference,
  root: string,
): DicomDataset {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = instance;
  const base = `${root}${pathOf(studyInstanceUid, seriesInstanceUid, sopInstanceUid)}`;
  return rewrite(dataset, `${base}/bulkdata/`);
}

/** A search result, with the URL at which this gateway gives what it stands for. */
export function rewriteResult(dataset: DicomDataset, retrieveUrl: string): DicomDataset {
  return { ...rewrite(dataset, null), [RETRIEVE_URL]: { vr: "UR", Value: [retrieveUrl] } };
}

function rewrite(dataset: DicomDataset, base: string | null): DicomDataset {
  const result: DicomDataset = {};
  for (const [tag, element] of Object.entries(dataset)) {
    // The archive's own addresses say where it is, and lead past the gateway.
    if (tag === RETRIEVE_URL) continue;
    const rewritten = rewriteElement(element, base === null ? null : `${base}${tag}`);
    if (rewritten) result[tag] = rewritten;
  }
  return result;
}

function rewriteElement(element: DicomElement, uri: string | null): DicomElement | null {
  const { vr, BulkDataURI, Value } = element;
  // A search result does not say which instance a value came from.
  if (BulkDataURI !== undefined) return uri === null ? null : { vr, BulkDataURI: uri };
  if (vr !== "SQ" || !Value) return element;
  const items = Value.map((item, index) =>
    isDataset(item) ? rewrite(item, uri === null ? null : `${uri}/${index + 1}/`) : item,
  );
  return { vr, Value: items };
}
