/** The DICOM data dictionary (PS3.6), from dcmjs: the only complete and maintained one on npm. */
import dcmjs from "dcmjs";

const { dictionary, nameMap } = dcmjs.data.DicomMetaDictionary;

/** The tag of a keyword, as eight upper-case hex digits. A keyword that the dictionary lacks is a mistake of ours. */
export function tagOf(keyword: string): string {
  const tag = findTag(keyword);
  if (tag === undefined) throw new RangeError(`no such DICOM keyword: ${keyword}`);
  return tag;
}

/** The tag of a keyword or of a tag's own eight hex digits, or undefined if it is neither. */
export function findTag(name: string): string | undefined {
  if (/^[0-9A-Fa-f]{8}$/.test(name)) return name.toUpperCase();
  const entry = Object.hasOwn(nameMap, name) ? nameMap[name] : undefined;
  return entry && /^\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\)$/.test(entry.tag)
    ? entry.tag.replace(/[(),]/g, "").toUpperCase()
    : undefined;
}

/** The value representation of a standard tag, or `UN` for one that the dictionary lacks. */
export function vrOf(tag: string): string {
  if (/^....0000$/.test(tag)) return "UL";
  const vr = dictionary[`(${tag.slice(0, 4)},${tag.slice(4)})`]?.vr;
  return vr && /^[A-Z]{2}$/.test(vr) ? vr : ambiguousVr(vr);
}

/** dcmjs writes `xs` and `ox` where PS3.6 leaves a choice. Without the pixel representation, the unsigned and the wider. */
function ambiguousVr(vr: string | undefined): string {
  if (vr === "xs") return "US";
  return vr === "ox" ? "OW" : "UN";
}
