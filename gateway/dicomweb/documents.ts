/** Documents that were wrapped into DICOM objects (PS3.3 section C.24.2): rendered, they are themselves (PS3.18 section 8.7.4). */
import type { ArchiveClient, Content, InstanceReference } from "../archive/client.ts";
import { elementOf, stringOf } from "../archive/dicomJson.ts";
import { parseMediaTypes } from "../archive/mediaType.ts";

const PDF = "application/pdf";

/** Whether a caller who asks for a rendered object takes a document, by the query's `accept` or by the header. */
export function takesDocument(query: URLSearchParams, acceptHeader: string | undefined): boolean {
  const ranges = parseMediaTypes(query.get("accept") ?? acceptHeader ?? "*/*") ?? [];
  return ranges.some(({ name }) => [PDF, "application/*", "*/*"].includes(name));
}

/** The PDF in an instance, or null where it holds none. @throws {Problem} `archive-unavailable`, `not-found` */
export async function documentIn(
  archive: ArchiveClient,
  instance: InstanceReference,
  signal: AbortSignal,
): Promise<Content | null> {
  const metadata = await archive.metadata(instance, { signal });
  const element = elementOf(metadata, "EncapsulatedDocument");
  if (stringOf(metadata, "MIMETypeOfEncapsulatedDocument") !== PDF || !element) return null;
  const document = { mediaType: PDF, transferSyntaxUid: null };
  if (element.BulkDataURI !== undefined) {
    const { bytes } = await archive.bulkData(instance, element.BulkDataURI, { signal });
    return { ...document, bytes };
  }
  const bytes = Buffer.from(element.InlineBinary ?? "", "base64");
  async function* inline() {
    yield bytes;
  }
  return { ...document, bytes: inline() };
}
