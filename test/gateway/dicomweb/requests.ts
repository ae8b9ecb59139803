/**
 * Requests to the DICOMweb surface, made at random: sentences of PS3.18's grammar about the own and the other's instance,
 * bent by tricks, and noise.
 */
import fc from "fast-check";
import { CLIMBS, HEADERS, QUERIES, SEPARATORS, UIDS } from "./payloads.ts";
import type { Names } from "./strangersExam.ts";

/** A request that names neither whose it is nor what its UIDs are, so that it can be shrunk and printed. */
export type Made = {
  method: string;
  /** From the UIDs of both, `/studies/…` and so on, query string and all. */
  path(own: Names, other: Names): string;
  headers(otherPath: string, host: string): readonly string[];
};

type Level = keyof Names;
type Uid = (level: Level, own: Names, other: Names) => string;

/** Bytes that stay within a line of a request. */
const noise = fc
  .string({ unit: "binary-ascii", maxLength: 40 })
  .map((text) => text.replace(/[\r\n ]/g, (blank) => encodeURIComponent(blank)));

const uid: fc.Arbitrary<Uid> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Uid>((level, own) => own[level]) },
  { weight: 8, arbitrary: fc.constant<Uid>((level, _own, other) => other[level]) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...Object.values(UIDS))
      .map<Uid>((make) => (level, own, other) => make(own[level], other[level])),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-2](\.[0-9]{1,4}){0,9}\.?$/).map<Uid>((text) => () => text) },
  { weight: 1, arbitrary: noise.map<Uid>((text) => () => text) },
);

const separator = fc.oneof(
  { weight: 60, arbitrary: fc.constant("/") },
  { weight: 1, arbitrary: fc.constantFrom(...SEPARATORS) },
);

const frames = fc.oneof(
  fc.integer({ min: -1, max: 100 }).map(String),
  fc.array(fc.integer({ min: 1, max: 97 }), { maxLength: 4 }).map((list) => list.join()),
  noise,
);

/** What there is below a study, a series and an instance. */
const BELOW = [
  ["studies"],
  ["", "metadata", "series", "instances", "rendered", "thumbnail"],
  ["", "metadata", "instances", "rendered", "thumbnail"],
  ["", "metadata", "rendered", "thumbnail", "frames/1", "frames/1/thumbnail", "bulkdata/50003000"],
];
const EVERYTHING = BELOW.flat();

/** A path's depth, from 0 to 3, and what stands at its end. */
const place = fc.integer({ min: 0, max: 3 }).chain((depth) =>
  fc.tuple(
    fc.constant(depth),
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...(BELOW[depth] ?? [])) },
      { weight: 2, arbitrary: fc.constantFrom(...EVERYTHING) },
      { weight: 2, arbitrary: frames.map((list) => `frames/${list}`) },
      { weight: 1, arbitrary: frames.map((list) => `frames/${list}/rendered`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("bulkdata/7FE00010", "bulkdata/00081140/1/00081155", ...CLIMBS),
      },
      { weight: 1, arbitrary: noise },
    ),
  ),
);

const all = (make: Uid): [Uid, Uid, Uid] => [make, make, make];
const OWN = all((level, own) => own[level]);
const OTHER = all((level, _own, other) => other[level]);
const uids = fc.oneof(
  { weight: 5, arbitrary: fc.constant(OWN) },
  { weight: 3, arbitrary: fc.constant(OTHER) },
  { weight: 4, arbitrary: fc.tuple(uid, uid, uid) },
);

/** `/studies/…`, as deep as it comes, now and then with a separator or a step that does not belong. */
const path = fc
  .record({
    root: fc.oneof(
      { weight: 30, arbitrary: fc.constant("/dicomweb") },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          "",
          "/dicom-web",
          "/dicomweb/..",
          "/DICOMweb",
          "/dicomweb/",
          "http://a.example/dicomweb",
        ),
      },
    ),
    place,
    uids,
    separators: fc.array(separator, { minLength: 8, maxLength: 8 }),
    climb: fc.oneof(
      { weight: 12, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.tuple(fc.nat({ max: 6 }), fc.constantFrom(...CLIMBS)) },
    ),
  })
  .map(({ root, place: [depth, last], uids: [...make], separators, climb }) => (own: Names, other: Names) => {
    const levels = ["study", "series", "instance"] as const;
    const names = { study: "studies", series: "series", instance: "instances" };
    const steps = levels
      .slice(0, depth)
      .flatMap((level, index) => [names[level], make[index]?.(level, own, other) ?? ""]);
    if (last !== "") steps.push(last);
    if (climb) steps.splice(climb[0], 0, climb[1]);
    return root + steps.map((step, index) => `${separators[index % 8]}${step}`).join("");
  });

const searchKey = fc.constantFrom(
  ...[
    "StudyInstanceUID",
    "0020000D",
    "SeriesInstanceUID",
    "0020000E",
    "SOPInstanceUID",
    "PatientID",
    "PatientName",
  ],
  ...[
    "StudyDate",
    "ModalitiesInStudy",
    "Modality",
    "limit",
    "offset",
    "fuzzymatching",
    "includefield",
    "InstanceNumber",
  ],
  ...["viewport", "window", "quality", "accept"],
);
const searchValue = fc.oneof(
  { weight: 3, arbitrary: uid.map((make) => (own: Names, other: Names) => make("study", own, other)) },
  { weight: 3, arbitrary: uid.map((make) => (own: Names, other: Names) => make("series", own, other)) },
  { weight: 2, arbitrary: fc.integer({ min: -2, max: 300 }).map((count) => () => String(count)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        "*",
        "",
        "all",
        "MR",
        "XA,MR",
        "true",
        "-",
        "19000101-",
        "128,128",
        "40,400,linear",
        "image/png",
        "R*",
      )
      .map((text) => () => text),
  },
  { weight: 1, arbitrary: noise.map((text) => () => text) },
);

const query = fc.oneof(
  { weight: 9, arbitrary: fc.constant(() => "") },
  {
    weight: 4,
    arbitrary: fc
      .array(fc.tuple(fc.oneof({ weight: 20, arbitrary: searchKey }, noise), searchValue), { maxLength: 4 })
      .map(
        (pairs) => (own: Names, other: Names) =>
          `?${pairs.map(([key, make]) => `${key}=${make(own, other)}`).join("&")}`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...Object.values(QUERIES))
      .map((make) => (own: Names, other: Names) => `?${make(own, other)}`),
  },
);

const accept = fc.oneof(
  fc.constantFrom(
    ...["*/*", "application/dicom+json", "application/json", "application/dicom", "image/jpeg", "image/png"],
    ...[
      'multipart/related; type="application/dicom"',
      'multipart/related; type="application/octet-stream"; transfer-syntax=*',
    ],
    ...[
      'multipart/related; type="image/jpeg"',
      "multipart/related; type=application/octet-stream",
      "text/html",
      "image/*;q=0",
    ],
  ),
  noise,
);

const headers: fc.Arbitrary<Made["headers"]> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(() => []) },
  { weight: 4, arbitrary: accept.map((value) => () => [`Accept: ${value}`]) },
  { weight: 2, arbitrary: fc.constantFrom(...Object.values(HEADERS)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "Forwarded",
          "Range",
          "If-Range",
          "Cookie",
          "X-Forwarded-For",
          "Origin",
          "X-HTTP-Method-Override",
        ),
        noise,
      )
      .map(([name, value]) => () => [`${name}: ${value}`]),
  },
);

const method = fc.oneof(
  { weight: 16, arbitrary: fc.constant("GET") },
  { weight: 3, arbitrary: fc.constant("HEAD") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "SEARCH", "get"),
  },
);

/** A request, with what it is about left open. */
export const requests: fc.Arbitrary<Made> = fc
  .record({ method, path, query, headers })
  .map(({ method: verb, path: toPath, query: toQuery, headers: toHeaders }) => ({
    method: verb,
    path: (own, other) => toPath(own, other) + toQuery(own, other),
    headers: toHeaders,
    // As a failure is printed.
    [fc.toStringMethod]: () =>
      [verb, toPath(NAMED.own, NAMED.other) + toQuery(NAMED.own, NAMED.other), ...toHeaders("…", "…")].join(
        " ",
      ),
  }));

const NAMED = {
  own: { study: "OWN-STUDY", series: "OWN-SERIES", instance: "OWN-INSTANCE" },
  other: { study: "OTHER-STUDY", series: "OTHER-SERIES", instance: "OTHER-INSTANCE" },
};
