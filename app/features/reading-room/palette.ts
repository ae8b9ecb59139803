/** Palette colour tables (PS3.3 C.7.6.3.1.5 and .6), made ready for Cornerstone3D, which cannot fetch them. */
import { type Attribute, type Instance, type Keyword, numbers, TAGS, text } from "./dicomJson.ts";
import { ReadFailure } from "./failures.ts";

const TABLES: readonly [data: Keyword, descriptor: Keyword][] = [
  ["RedPaletteColorLookupTableData", "RedPaletteColorLookupTableDescriptor"],
  ["GreenPaletteColorLookupTableData", "GreenPaletteColorLookupTableDescriptor"],
  ["BluePaletteColorLookupTableData", "BluePaletteColorLookupTableDescriptor"],
];

/**
 * The instance with its palette's tables as 8-bit values in place, so that decoding finds them.
 * Any other instance is returned as it is.
 * @param fetchBulk reads bulk data by its URI
 */
export async function withPalette(
  instance: Instance,
  fetchBulk: (uri: string) => Promise<ArrayBuffer>,
): Promise<Instance> {
  if (text(instance, "PhotometricInterpretation") !== "PALETTE COLOR") return instance;
  const tables = await Promise.all(
    TABLES.map(async ([data, descriptor]): Promise<[string, Attribute]> => {
      const bytes = await bytesOf(instance[TAGS[data]], fetchBulk);
      const [entries = 0, , bits = 8] = numbers(instance, descriptor);
      return [TAGS[data], { vr: "OW", Value: eightBit(bytes, entries || 65536, bits) }];
    }),
  );
  return { ...instance, ...Object.fromEntries(tables) };
}

async function bytesOf(
  attribute: Attribute | undefined,
  fetchBulk: (uri: string) => Promise<ArrayBuffer>,
): Promise<Uint8Array> {
  if (attribute?.InlineBinary) {
    return Uint8Array.from(atob(attribute.InlineBinary), (char) => char.charCodeAt(0));
  }
  if (attribute?.BulkDataURI) return new Uint8Array(await fetchBulk(attribute.BulkDataURI));
  throw new ReadFailure("undecodable", "The image's colour table is missing.");
}

/**
 * Entries as 8-bit values. A 16-bit entry keeps its high byte; 8-bit entries come one or two to a word,
 * which shows in the table's length.
 */
function eightBit(bytes: Uint8Array, entries: number, bits: number): number[] {
  const perEntry = bytes.length >= 2 * entries ? 2 : 1;
  if (bytes.length < perEntry * entries) {
    throw new ReadFailure("undecodable", "The image's colour table is too short.");
  }
  const offset = bits > 8 && perEntry === 2 ? 1 : 0;
  return Array.from({ length: entries }, (_, index) => bytes[index * perEntry + offset] ?? 0);
}
